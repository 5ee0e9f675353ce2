import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

type Value = { readonly stringValue?: string; readonly intValue?: number; readonly doubleValue?: number; readonly boolValue?: boolean };
interface WireAttribute {
  readonly key: string;
  readonly value: Value & { readonly arrayValue?: { readonly values: readonly Value[] } };
}
interface WireSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly traceState?: string;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly WireAttribute[];
  readonly events: readonly { readonly name: string; readonly attributes: readonly WireAttribute[] }[];
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly status: { readonly code?: number; readonly message?: string };
}

/** A span as it came over the wire, its attributes by name. */
export interface SeenSpan extends Omit<WireSpan, 'attributes' | 'events'> {
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly events: readonly { readonly name: string; readonly attributes: Readonly<Record<string, unknown>> }[];
}

/** OTLP's numbers of `SpanKind`. */
export const KIND = { server: 2, client: 3 } as const;
/** OTLP's number of a status that is an error. */
export const FAILED = 2;

export interface Collector {
  /** `http://127.0.0.1:port`, what `OTEL_EXPORTER_OTLP_ENDPOINT` takes. */
  readonly url: string;
  readonly spans: SeenSpan[];
  readonly resources: Readonly<Record<string, unknown>>[];
  /** Path and headers of each export. */
  readonly posts: { readonly path: string; readonly headers: Readonly<Record<string, unknown>>; readonly text: string }[];
  /** How exports are answered from now on; null: not at all. */
  answer: number | null;
  close(): Promise<void>;
}

/** An OTLP/HTTP collector that keeps what it gets. */
export async function startCollector(): Promise<Collector> {
  const open = new Set<ServerResponse>();
  const server = createServer((request, response) => {
    open.add(response);
    response.on('close', () => open.delete(response));
    let text = '';
    request.setEncoding('utf8').on('data', (part: string) => {
      text += part;
    });
    request.on('end', () => {
      collector.posts.push({ path: request.url ?? '', headers: request.headers, text });
      if (collector.answer === null) return;
      if (collector.answer === 200) take(text, collector);
      response.writeHead(collector.answer, { 'content-type': 'application/json' }).end('{}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const collector: Collector = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans: [],
    resources: [],
    posts: [],
    answer: 200,
    close: async () => {
      for (const response of open) response.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return collector;
}

interface Export {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly WireAttribute[] };
    readonly scopeSpans: readonly { readonly spans: readonly WireSpan[] }[];
  }[];
}

function take(text: string, { spans, resources }: Collector): void {
  for (const { resource, scopeSpans } of (JSON.parse(text) as Export).resourceSpans) {
    resources.push(byName(resource.attributes));
    for (const span of scopeSpans.flatMap((scope) => scope.spans)) {
      const events = span.events.map(({ name, attributes }) => ({ name, attributes: byName(attributes) }));
      spans.push({ ...span, attributes: byName(span.attributes), events });
    }
  }
}

const byName = (attributes: readonly WireAttribute[]): Record<string, unknown> =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, value.arrayValue?.values.map(plain) ?? plain(value)]));

const plain = (value: Value): unknown => value.stringValue ?? value.intValue ?? value.doubleValue ?? value.boolValue;
