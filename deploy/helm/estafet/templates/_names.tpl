{{- define "estafet.name" -}}
{{- if contains .Chart.Name .Release.Name }}{{ .Release.Name | trunc 63 | trimSuffix "-" }}{{ else }}{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 63 | trimSuffix "-" }}{{ end }}
{{- end }}

{{- define "estafet.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "estafet.labels" -}}
{{ include "estafet.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{/* estafet.yaml: the given configuration, and what the chart itself decides of `server`. */}}
{{- define "estafet.config" -}}
{{- $server := dict "host" "0.0.0.0" "port" 8080 "drainTimeoutMs" (int .Values.drainTimeoutMs) }}
{{- if .Values.metrics.enabled }}
{{- $_ := set $server "metrics" (dict "host" "0.0.0.0" "port" (int .Values.metrics.port)) }}
{{- end }}
{{- $config := deepCopy .Values.config }}
{{- $_ := set $config "server" (mergeOverwrite (default dict $config.server) $server) }}
{{- toYaml $config }}
{{- end }}
