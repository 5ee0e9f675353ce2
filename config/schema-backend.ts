import { z } from 'zod';
import { currency, limit, rates } from './schema-limits.ts';
import type { Vendors } from './vendors.ts';
import { ENV_REFERENCE, freeName, milliseconds, secretReference } from './words.ts';

/** A price in money per million tokens. */
const price = z.number().min(0).max(1_000_000);

const PRICES = {
  input: price.meta({ unit: 'per million tokens', description: 'Price of input tokens.' }),
  cachedInput: price
    .optional()
    .meta({ unit: 'per million tokens', description: "Price of input tokens read from the vendor's cache. Absent: as `input`." }),
  output: price.meta({ unit: 'per million tokens', description: 'Price of output tokens.' }),
  thinkingOutput: price
    .optional()
    .meta({ unit: 'per million tokens', description: 'Price of output tokens spent on thinking. Absent: as `output`.' }),
};

const tierSchema = z.strictObject({
  inputUpTo: limit.optional().meta({ unit: 'tokens', description: 'Largest input of a request that this tier applies to. Absent: any.' }),
  outputUpTo: limit.optional().meta({ unit: 'tokens', description: 'Largest output of a request that this tier applies to. Absent: any.' }),
  ...PRICES,
});

const priceSchema = z.strictObject({
  currency: currency.meta({ description: 'Currency of the prices.' }),
  date: z.iso
    .date({ error: 'must be a date such as 2026-11-01' })
    .optional()
    .meta({ description: 'First day of the price, recorded in the books. Absent: the day on which the file is read.' }),
  ...PRICES,
  input: PRICES.input.optional(),
  output: PRICES.output.optional(),
  tiers: z.array(tierSchema).min(1).optional().meta({
    description:
      'Prices by size of the request, instead of one price. The first tier that fits applies to all tokens of a request; if none fits, the last one does.',
  }),
});

const breakerSchema = z.strictObject({
  failures: z.int().min(1).max(1_000_000).default(5).meta({
    description:
      'Number of failures in a row, within `windowMs`, that open the breaker. Timeouts, broken connections and unreadable answers count for the backend, overload for the model that was requested.',
  }),
  windowMs: milliseconds
    .default(30_000)
    .meta({ unit: 'ms', description: 'Time from the first failure of a row in which the others must follow.' }),
  openMs: milliseconds.default(15_000).meta({
    unit: 'ms',
    description:
      'How long the breaker keeps requests away after timeouts, broken connections and unreadable answers. Then one request tries the backend. Overload and rate limits have their own times.',
  }),
});

const probeSchema = z.strictObject({
  model: freeName
    .optional()
    .meta({ description: 'Model that the probe requests. Absent: the cheapest chat model that `models` sends to this backend.' }),
});

const queueSchema = z.strictObject({
  max: z.int().min(1).max(100_000).meta({ description: 'Most requests that wait in one process. Further ones get 429 at once.' }),
  waitMs: milliseconds.default(5_000).meta({ unit: 'ms', description: 'Longest wait of a request. After it the request gets 429.' }),
});

const timeoutsSchema = z.strictObject({
  connectMs: milliseconds
    .default(8_000)
    .meta({ unit: 'ms', description: 'Time to open a connection, TLS included. After it the call has failed.' }),
  firstByteMs: milliseconds.default(120_000).meta({
    unit: 'ms',
    description:
      'Time from the start of the call to the first byte of a stream or a list of vectors. After it the relay tries the next candidate.',
  }),
  // Longer than Qwen's own 300 s, so that its word comes first.
  wholeMs: milliseconds.default(310_000).meta({
    unit: 'ms',
    description:
      'As `firstByteMs`, for chat answers that the vendor does not stream. They arrive only when the model has written all of the answer, so this must be long.',
  }),
  idleMs: milliseconds.default(240_000).meta({
    unit: 'ms',
    description:
      'Longest silence within an answer. After it the call fails, and a stream that has begun ends with an error. Keep it long: thinking models can be silent for minutes.',
  }),
  totalMs: milliseconds
    .default(1_800_000)
    .meta({ unit: 'ms', description: 'Time for the whole call. After it the call fails, whatever the other values are.' }),
});

/** A backend's limits are those of the vendor account. */
const BEYOND = "Set it to the account's limit at the vendor: a request beyond it goes to the next candidate.";

/** One entry of `backends`: one account with one vendor in one region. */
export function backendSchema(vendors: Vendors) {
  const protocols = [...new Set(['compatible', ...Object.values(vendors).flatMap((vendor) => vendor.protocols)])];
  return z.strictObject({
    vendor: z.enum(Object.keys(vendors)).meta({ description: 'Vendor of the account.' }),
    protocol: z.enum(protocols).default('compatible').meta({
      description:
        "Protocol for calls to the vendor. `compatible`: the vendor's OpenAI-compatible one. `native`: its own, for vendors that have one.",
    }),
    region: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, { error: 'must be a region name such as cn-beijing' })
      .optional()
      .meta({
        description:
          "Region of the account. It selects the vendor's address, and permits are checked against it. Absent: the vendor's default region. With `baseUrl` it may be any label.",
      }),
    baseUrl: z
      .string()
      .regex(/^https?:\/\/[^\s?#@]+$/, { error: 'must be an http or https URL without user name, query or fragment' })
      .refine((url) => !/^https?:\/\/[^\s?#@]+$/.test(url) || URL.canParse(url), { error: 'is not a valid URL' })
      .optional()
      .meta({
        description:
          "Base URL, exactly as the vendor's own SDK takes it, path included. Absent: the vendor's public address of the region.",
      }),
    workspace: z
      .string()
      .regex(/^[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/, { error: 'must be 1 to 63 letters, digits and inner hyphens' })
      .optional()
      .meta({
        description:
          "Id of a workspace, for vendors that have workspaces. The relay then calls the workspace's own address instead of the public one.",
      }),
    apiKey: secretReference.optional().meta({
      description: `Reference to the vendor's API key: \`${ENV_REFERENCE}\`, \`env:NAME\` or \`file:/path\`. The key itself is refused.`,
    }),
    apiKeys: z.array(secretReference).min(1).max(100).optional().meta({
      description:
        'Several keys, instead of `apiKey`. They take turns. A key that is refused, at its limit or without money is left out for a while.',
    }),
    accessKey: secretReference.optional().meta({ description: 'Access key of a key pair. Not supported yet: use `apiKey`.' }),
    secretKey: secretReference.optional().meta({ description: 'Secret key of a key pair. Not supported yet: use `apiKey`.' }),
    appId: z
      .string()
      .regex(/^[\x21-\x7e]{1,128}$/, { error: 'must be 1 to 128 visible ASCII characters' })
      .optional()
      .meta({
        description:
          'Application that the vendor books the calls to, for vendors that have applications. It can also be part of `apiKey`: `key|application`.',
      }),
    auth: z.enum(['bearer', 'jwt']).default('bearer').meta({
      description:
        'How calls are authorised. `bearer`: with the key itself. `jwt`: with a short-lived token signed with the key, for vendors that accept one.',
    }),
    timeouts: timeoutsSchema.prefault({}).meta({ description: 'Time limits of each call to this backend.' }),
    connections: z.int().min(1).max(100_000).default(10_000).meta({
      description: 'Most connections to this backend from one process. Further calls wait for a free one, within their time limits.',
    }),
    retries: z.int().min(0).max(10).default(1).meta({
      description:
        'How many times a failed call to this backend is repeated, if repeating can help: after a rate limit or overload if the wait is short, and after a connection that broke before any answer. 0: never.',
    }),
    breaker: z
      .union([z.literal('off'), breakerSchema])
      .prefault({})
      .meta({ description: 'When the relay stops calling a failing backend for a while. `off`: never.' }),
    probe: z
      .union([z.literal('off'), probeSchema])
      .default('off')
      .meta({
        description:
          "How the relay finds out that a backend with an open breaker works again. A mapping, which may be empty: the relay sends a request of its own for one token, which may be billed. `off`: it lets a caller's request through.",
      }),
    ...rates(BEYOND),
    concurrency: limit.optional().meta({ unit: 'requests', description: `Requests at the same time. ${BEYOND}` }),
    queue: queueSchema.optional().meta({
      description:
        'Queue for requests while this backend is at one of its limits (`rpm`, `concurrency` and so on) and no other candidate answers. Teams take turns. Absent: such a request gets 429 at once, unless another candidate has a queue.',
    }),
    traceparent: z.boolean().default(false).meta({
      description:
        'Whether calls carry the header `traceparent` when traces are on. Set it only if the backend is a gateway of your own that should join the trace.',
    }),
    prices: z
      .record(freeName, priceSchema)
      .optional()
      .meta({ description: "Your prices, by the backend's model name. They replace those of the catalogue." }),
  });
}
