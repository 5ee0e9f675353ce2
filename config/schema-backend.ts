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
    .meta({ unit: 'per million tokens', description: 'Price of input tokens read from the cache; absent: as `input`.' }),
  output: price.meta({ unit: 'per million tokens', description: 'Price of output tokens.' }),
  thinkingOutput: price
    .optional()
    .meta({ unit: 'per million tokens', description: 'Price of output tokens spent on thinking; absent: as `output`.' }),
};

const tierSchema = z.strictObject({
  inputUpTo: limit.optional().meta({ unit: 'tokens', description: 'The tier holds for requests with at most so much input; absent: any.' }),
  outputUpTo: limit.optional().meta({ unit: 'tokens', description: 'And with at most so much output; absent: any.' }),
  ...PRICES,
});

const priceSchema = z.strictObject({
  currency: currency.meta({ description: 'Currency of the prices.' }),
  date: z.iso
    .date({ error: 'must be a date such as 2026-11-01' })
    .optional()
    .meta({ description: 'Since when the price holds, for the books. Absent: the day the file is read.' }),
  ...PRICES,
  input: PRICES.input.optional(),
  output: PRICES.output.optional(),
  tiers: z.array(tierSchema).min(1).optional().meta({
    description: 'Instead of one price: the first tier that fits holds for all tokens of a request; beyond the last border the last one.',
  }),
});

const breakerSchema = z.strictObject({
  failures: z.int().min(1).max(1_000_000).default(5).meta({
    description:
      'Failures in a row, within the window, that open the breaker: silence, broken connections, garbage; and of a model, overload.',
  }),
  windowMs: milliseconds.default(30_000).meta({ unit: 'ms', description: 'Window in which failures are counted.' }),
  openMs: milliseconds
    .default(15_000)
    .meta({ unit: 'ms', description: 'How long it stays open before one request may probe. Limits and overload have times of their own.' }),
});

const probeSchema = z.strictObject({
  model: freeName.optional().meta({ description: 'Model that is asked. Absent: the cheapest one for chat that `models` sends there.' }),
});

const queueSchema = z.strictObject({
  max: z
    .int()
    .min(1)
    .max(100_000)
    .meta({ description: 'Most requests that wait in one process; beyond them the answer is a 429 at once.' }),
  waitMs: milliseconds.default(5_000).meta({ unit: 'ms', description: 'Longest wait of one request.' }),
});

const timeoutsSchema = z.strictObject({
  connectMs: milliseconds.default(8_000).meta({ unit: 'ms', description: 'Opening the connection, TLS included.' }),
  firstByteMs: milliseconds
    .default(120_000)
    .meta({ unit: 'ms', description: 'From sending the request to the first byte of the answer: a stream, or a list of vectors.' }),
  // Longer than Qwen's own 300 s, so that its word comes first.
  wholeMs: milliseconds.default(310_000).meta({
    unit: 'ms',
    description: 'The same of a chat answer that the vendor does not stream: it comes when the model has written all of it.',
  }),
  idleMs: milliseconds
    .default(240_000)
    .meta({ unit: 'ms', description: 'Longest silence within an answer. Thinking models are known to fall silent for minutes.' }),
  totalMs: milliseconds.default(1_800_000).meta({ unit: 'ms', description: 'The whole call, first to last byte.' }),
});

/** One entry of `backends`: one account with one vendor in one region. */
export function backendSchema(vendors: Vendors) {
  const protocols = [...new Set(['compatible', ...Object.values(vendors).flatMap((vendor) => vendor.protocols)])];
  return z.strictObject({
    vendor: z.enum(Object.keys(vendors)).meta({ description: 'Whose API this is.' }),
    protocol: z
      .enum(protocols)
      .default('compatible')
      .meta({ description: "Which of the vendor's protocols is spoken; `compatible` is its OpenAI-like one." }),
    region: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, { error: 'must be a region name such as cn-beijing' })
      .optional()
      .meta({
        description:
          "Region of the account; permits are checked against it. Absent: the vendor's default region. With `baseUrl` any label.",
      }),
    baseUrl: z
      .string()
      .regex(/^https?:\/\/[^\s?#@]+$/, { error: 'must be an http or https URL without user name, query or fragment' })
      .refine((url) => !/^https?:\/\/[^\s?#@]+$/.test(url) || URL.canParse(url), { error: 'is not a valid URL' })
      .optional()
      .meta({ description: "Base URL exactly as the vendor's own SDK takes it. Absent: the public one of the region." }),
    workspace: z
      .string()
      .regex(/^[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/, { error: 'must be 1 to 63 letters, digits and inner hyphens' })
      .optional()
      .meta({ description: 'Workspace whose own address is called instead of the public one, for vendors that have workspaces.' }),
    apiKey: secretReference
      .optional()
      .meta({ description: `The vendor's API key: \`${ENV_REFERENCE}\`, \`env:NAME\` or \`file:/path\`, never the key itself.` }),
    apiKeys: z.array(secretReference).min(1).max(100).optional().meta({
      description: 'Several keys instead of `apiKey`: they take turns, and one that is refused or at its limit is left out for a while.',
    }),
    accessKey: secretReference.optional().meta({ description: 'Access key of a key pair. Not supported yet: use `apiKey`.' }),
    secretKey: secretReference.optional().meta({ description: 'Secret key of a key pair. Not supported yet: use `apiKey`.' }),
    appId: z
      .string()
      .regex(/^[\x21-\x7e]{1,128}$/, { error: 'must be 1 to 128 visible ASCII characters' })
      .optional()
      .meta({
        description:
          'Application the use is booked to, for vendors that know one. It may also stand in `apiKey`, behind the key: `key|application`.',
      }),
    auth: z
      .enum(['bearer', 'jwt'])
      .default('bearer')
      .meta({ description: '`bearer` sends the key; `jwt` sends a short-lived token signed with it, for vendors that accept one.' }),
    timeouts: timeoutsSchema.prefault({}).meta({ description: 'Time limits of calls to this backend.' }),
    connections: z.int().min(1).max(100_000).default(10_000).meta({ description: 'Most sockets open to this backend.' }),
    retries: z.int().min(0).max(10).default(1).meta({
      description:
        'How often a call is sent again where the failure says that it helps: limits and overload, after the time told, and connections that broke before any answer.',
    }),
    breaker: z
      .union([z.literal('off'), breakerSchema])
      .prefault({})
      .meta({ description: 'When to stop calling a failing backend for a while; `off`: never.' }),
    probe: z
      .union([z.literal('off'), probeSchema])
      .default('off')
      .meta({
        description:
          'Ask for one token by itself whether the backend works again, instead of by the first request after its breaker has been open long enough; `off`: no.',
      }),
    ...rates,
    concurrency: limit
      .optional()
      .meta({ unit: 'requests', description: "The vendor account's own limit of requests running at the same time." }),
    queue: queueSchema.optional().meta({
      description:
        'Requests that no candidate has room for by the limits of its account wait here, teams by turns. Absent: they get a 429 at once.',
    }),
    traceparent: z.boolean().default(false).meta({
      description:
        "Whether calls carry the header `traceparent` where traces are kept, so that a gateway on the way joins the request's trace. Off by default: the trace is no vendor's business.",
    }),
    prices: z
      .record(freeName, priceSchema)
      .optional()
      .meta({ description: 'Prices that replace those of the catalogue, by model name of the backend.' }),
  });
}
