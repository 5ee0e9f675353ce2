import { isIP } from 'node:net';
import { z } from 'zod';
import { milliseconds, secretReference } from './words.ts';

const host = z.string().refine((text) => isIP(text) !== 0 || /^(?!.*\.\d+$)[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})*$/.test(text), {
  error: 'must be an IP address or a host name, without a port',
});

/** `server`: where the relay listens and what it accepts at most. The defaults are safe to expose (bounded memory and time). */
export const serverSchema = z.strictObject({
  host: host
    .default('127.0.0.1')
    .meta({ description: 'Address to listen on. `0.0.0.0` or `::` makes the relay reachable from the network.' }),
  port: z.int().min(0).max(65535).default(8080).meta({ description: 'TCP port to listen on. 0: any free port.' }),
  workers: z
    .union([z.literal('auto'), z.int().min(1).max(256)], { error: 'must be `auto` or a whole number from 1 to 256' })
    .default(1)
    .meta({
      description:
        'Number of processes that share the port. More than one requires `redis`. `auto`: one per core, or a single process without `redis`. The bounds on connections, requests and receipts below apply to each process.',
    }),
  maxBodyBytes: z
    .int()
    .min(1024)
    .max(1024 ** 3)
    .default(16 * 1024 ** 2)
    .meta({ unit: 'bytes', description: 'Largest request body, after decompression. A larger one gets 413.' }),
  maxHeaderBytes: z
    .int()
    .min(1024)
    .max(1024 ** 2)
    .default(16 * 1024)
    .meta({ unit: 'bytes', description: 'Largest size of all headers of a request together. Larger ones get 431.' }),
  maxMessages: z.int().min(1).max(1_000_000).default(4096).meta({ description: 'Most messages in one chat request. More get 400.' }),
  maxTools: z.int().min(1).max(1_000_000).default(128).meta({ description: 'Most tools in one chat request. More get 400.' }),
  maxJsonDepth: z
    .int()
    .min(1)
    .max(1000)
    .default(64)
    .meta({ description: 'Deepest nesting of objects and lists in a request body. A deeper one gets 400.' }),
  requestTimeoutMs: milliseconds.default(60_000).meta({
    unit: 'ms',
    description: 'Time for the whole request, body included, to arrive. After it the client gets 408. It does not limit the answer.',
  }),
  headersTimeoutMs: milliseconds.default(15_000).meta({
    unit: 'ms',
    description: 'Time for the headers of a request to arrive. After it the client gets 408. Must not exceed `requestTimeoutMs`.',
  }),
  keepAliveTimeoutMs: milliseconds.default(72_000).meta({
    unit: 'ms',
    description:
      'How long an idle client connection stays open. Set it longer than the idle timeout of a load balancer in front of the relay.',
  }),
  maxConnections: z
    .int()
    .min(1)
    .max(1_000_000)
    .default(20_000)
    .meta({ description: 'Most client connections at the same time. Further ones are closed immediately.' }),
  totalDeadlineMs: milliseconds.default(600_000).meta({
    unit: 'ms',
    description:
      'Time from the arrival of a request in which a backend must begin to answer. After it the relay starts no more calls, gives up calls without an answer, and returns an error. An answer that has begun continues.',
  }),
  maxInFlight: z.int().min(1).max(1_000_000).default(10_000).meta({
    description: 'Most requests in progress at the same time. Further ones get 503 `overloaded`. Raise it only as far as memory allows.',
  }),
  maxLagMs: z.int().min(0).max(60_000).default(1_000).meta({
    unit: 'ms',
    description:
      'New requests get 503 `overloaded` while the event loop is delayed by more than this in two checks in a row, 0.1 s apart. 0: no check.',
  }),
  heartbeatMs: milliseconds.default(15_000).meta({
    unit: 'ms',
    description: 'After this much silence in a stream, the relay sends an SSE comment so that proxies keep the connection open.',
  }),
  drainTimeoutMs: milliseconds.default(30_000).meta({
    unit: 'ms',
    description: 'How long running answers may continue after SIGTERM. After it they are cut with the error `draining`.',
  }),
  watchFiles: z.boolean().default(true).meta({
    description:
      'Whether the relay reloads the configuration when the file, or a secret file it refers to, changes. `false`: reload only on SIGHUP. A file with a problem is refused and changes nothing.',
  }),
  receiptTtlMs: milliseconds.default(900_000).meta({ unit: 'ms', description: 'How long a receipt can be looked up after its request.' }),
  receiptsKept: z
    .int()
    .min(0)
    .max(10_000_000)
    .default(10_000)
    .meta({ description: 'Most receipts kept in memory. When there are more, the oldest are dropped. 0: none are kept.' }),
  trustedProxies: z
    .array(z.string().min(1).meta({ description: 'Address or network in CIDR notation.' }))
    .default([])
    .meta({
      description:
        'Addresses and networks of proxies whose `X-Forwarded-For` is trusted. The caller is the rightmost address in the header that is not in this list. Empty: the header is not read.',
    }),
  countries: z.string().min(1).optional().meta({
    description:
      "File that maps addresses to countries, in MaxMind's format (.mmdb). Required for `countries` in permits. A relative path starts in the folder of the configuration file.",
  }),
  metrics: z
    .strictObject({
      port: z.int().min(0).max(65535).optional().meta({
        description:
          'TCP port that serves only `/metrics`. 0: any free port. Absent: `/metrics` is on `server.port`, and requires `token`.',
      }),
      host: host.default('127.0.0.1').meta({ description: 'Address that `port` listens on.' }),
      token: secretReference
        .optional()
        .meta({ description: 'Reference to a token that `/metrics` requires as `Authorization: Bearer`. Optional if `port` is set.' }),
    })
    .optional()
    .meta({ description: 'Metrics for Prometheus. Absent: no metrics are kept, and `/metrics` does not exist.' }),
  tracing: z
    .strictObject({
      callerContext: z.enum(['join', 'link', 'ignore']).default('join').meta({
        description:
          "What happens with a caller's `traceparent`. `join`: the request becomes part of the caller's trace, and a `parentbased_` sampler follows the caller's decision. `link`: the request has its own trace, which links to the caller's. `ignore`: the header is not read.",
      }),
      maxPerSecond: z.int().min(1).max(1_000_000).default(100).meta({
        unit: 'requests',
        description: 'Most requests per second that one process records spans for. Further requests are served without spans.',
      }),
    })
    .prefault({})
    .meta({
      description:
        'OpenTelemetry traces. They are sent only if `OTEL_EXPORTER_OTLP_ENDPOINT` or `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT` is set.',
    }),
  admin: z
    .strictObject({
      token: secretReference.meta({
        description: 'Reference to a token of at least 32 characters. `GET /v1/estafet/config` requires it as `Authorization: Bearer`.',
      }),
    })
    .optional()
    .meta({
      description:
        'Access to the configuration in force, without its secrets, for `estafet check --against URL`. Absent: nobody has access.',
    }),
  logLevel: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info').meta({
    description: 'Least severe level that is logged. Secrets are never logged; prompts and answers only for teams with `logPrompts`.',
  }),
});
