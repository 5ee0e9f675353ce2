import { isIP } from 'node:net';
import { z } from 'zod';
import { milliseconds, secretReference } from './words.ts';

const host = z.string().refine((text) => isIP(text) !== 0 || /^(?!.*\.\d+$)[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})*$/.test(text), {
  error: 'must be an IP address or a host name, without a port',
});

/** `server`: where the relay listens and what it accepts at most. The defaults are safe to expose (bounded memory and time). */
export const serverSchema = z.strictObject({
  host: host.default('127.0.0.1').meta({ description: 'Address to listen on. `0.0.0.0` or `::` opens the relay to the network.' }),
  port: z.int().min(0).max(65535).default(8080).meta({ description: 'TCP port to listen on; 0 takes a free one.' }),
  workers: z
    .union([z.literal('auto'), z.int().min(1).max(256)], { error: 'must be `auto` or a whole number from 1 to 256' })
    .default(1)
    .meta({
      description:
        'Processes that share the port. More than one needs `redis`. `auto`: as many as there are cores, and one without `redis`. What limits connections, requests and receipts below holds for each of them.',
    }),
  maxBodyBytes: z
    .int()
    .min(1024)
    .max(1024 ** 3)
    .default(16 * 1024 ** 2)
    .meta({ unit: 'bytes', description: 'Longest request body, counted after decompression. Longer ones get 413.' }),
  maxHeaderBytes: z
    .int()
    .min(1024)
    .max(1024 ** 2)
    .default(16 * 1024)
    .meta({ unit: 'bytes', description: 'All headers of a request together.' }),
  maxMessages: z.int().min(1).max(1_000_000).default(4096).meta({ description: 'Most messages in one chat request.' }),
  maxTools: z.int().min(1).max(1_000_000).default(128).meta({ description: 'Most tools in one chat request.' }),
  maxJsonDepth: z.int().min(1).max(1000).default(64).meta({ description: 'Deepest nesting of objects and lists in a request body.' }),
  requestTimeoutMs: milliseconds
    .default(60_000)
    .meta({ unit: 'ms', description: 'The whole request, body included, must have arrived by then. Does not limit the answer.' }),
  headersTimeoutMs: milliseconds
    .default(15_000)
    .meta({ unit: 'ms', description: 'The headers of a request must have arrived by then. At most `requestTimeoutMs`.' }),
  keepAliveTimeoutMs: milliseconds
    .default(72_000)
    .meta({ unit: 'ms', description: 'How long an idle connection stays open. Longer than the idle time of a load balancer in front.' }),
  maxConnections: z
    .int()
    .min(1)
    .max(1_000_000)
    .default(20_000)
    .meta({ description: 'Most client connections at once; more are closed at once.' }),
  totalDeadlineMs: milliseconds.default(600_000).meta({
    unit: 'ms',
    description:
      'From the arrival of a request: later no backend is asked, again or for the first time, and none is waited for that has not begun to answer. Running answers go on.',
  }),
  maxInFlight: z
    .int()
    .min(1)
    .max(1_000_000)
    .default(10_000)
    .meta({ description: 'Most requests that are answered at once; more get 503 `overloaded`.' }),
  maxLagMs: z.int().min(0).max(60_000).default(1_000).meta({
    unit: 'ms',
    description: 'New requests get 503 `overloaded` while the event loop is later than this, twice in a row. 0: never.',
  }),
  heartbeatMs: milliseconds
    .default(15_000)
    .meta({ unit: 'ms', description: 'A stream silent for this long gets an SSE comment, so that proxies keep it open.' }),
  drainTimeoutMs: milliseconds
    .default(30_000)
    .meta({ unit: 'ms', description: 'After SIGTERM, how long running answers may go on before they are cut.' }),
  watchFiles: z.boolean().default(true).meta({
    description:
      'Apply the file anew when it, or a secret file it refers to, has changed. `false`: only on SIGHUP. A file with a problem changes nothing.',
  }),
  receiptTtlMs: milliseconds.default(900_000).meta({ unit: 'ms', description: 'How long the receipt of a request can be looked up.' }),
  receiptsKept: z
    .int()
    .min(0)
    .max(10_000_000)
    .default(10_000)
    .meta({ description: 'Most receipts kept for look-up; the oldest go first.' }),
  trustedProxies: z
    .array(z.string().min(1).meta({ description: 'Address or network in CIDR notation.' }))
    .default([])
    .meta({
      description:
        'Proxies whose `X-Forwarded-For` is believed: the rightmost address in it that is none of these is the caller. Empty: the header is not read.',
    }),
  countries: z.string().min(1).optional().meta({
    description:
      "File that tells the country of an address, in MaxMind's format (.mmdb), for `countries` of permits. Relative to the configuration file.",
  }),
  metrics: z
    .strictObject({
      port: z.int().min(0).max(65535).optional().meta({
        description:
          'TCP port that serves nothing but `/metrics`; 0 takes a free one. Absent: on the port of the apps, for bearers of `token`.',
      }),
      host: host.default('127.0.0.1').meta({ description: 'Address of that port.' }),
      token: secretReference
        .optional()
        .meta({ description: 'Reference to a token that readers must send as `Authorization: Bearer`. Required without a `port`.' }),
    })
    .optional()
    .meta({ description: 'Metrics for Prometheus. Absent: none are kept, and `/metrics` does not exist.' }),
  tracing: z
    .strictObject({
      callerContext: z.enum(['join', 'link', 'ignore']).default('join').meta({
        description:
          "What a caller's `traceparent` does: `join`: the request is a part of that trace, and its sampling decision counts; `link`: a trace of its own, sampled by the relay's rules, that names it; `ignore`: nothing.",
      }),
      maxPerSecond: z.int().min(1).max(1_000_000).default(100).meta({
        unit: 'requests',
        description: 'Most requests a second whose spans one process sends, whatever callers ask for.',
      }),
    })
    .prefault({})
    .meta({
      description: 'Traces. They are kept only where `OTEL_EXPORTER_OTLP_ENDPOINT` or `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT` is set.',
    }),
  admin: z
    .strictObject({
      token: secretReference.meta({
        description: 'Reference to a token of at least 32 characters that opens `GET /v1/estafet/config`, as `Authorization: Bearer`.',
      }),
    })
    .optional()
    .meta({ description: 'Who may see the configuration in force, without its secrets (`estafet check --against URL`). Absent: nobody.' }),
  logLevel: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info').meta({
    description: 'Least severe log line that is written. Secrets are in none; prompts and answers only where a team has `logPrompts`.',
  }),
});
