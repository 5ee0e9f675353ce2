import { z } from 'zod';
import { limitsSchema } from './schema-limits.ts';
import type { Vendors } from './vendors.ts';
import { clientKey, ENV_REFERENCE, freeName, keyName, name } from './words.ts';

/** `teams` and `keys`: who may ask for what, and where it may go. */

const regionGlob = z.string().regex(/^[A-Za-z0-9._*-]{1,64}$/, { error: 'must be a region name or a pattern such as cn-*' });
const caller = z.string().min(1).meta({ description: 'Address or network in CIDR notation.' });
const country = z.string().regex(/^[A-Z]{2}$/, { error: 'must be two capital letters such as CN (ISO 3166-1)' });

function permitLists(vendors: Vendors) {
  return {
    vendors: z.array(z.enum(Object.keys(vendors))).min(1),
    regions: z.array(regionGlob).min(1),
    models: z.array(freeName).min(1),
    callers: z.array(caller).min(1),
    countries: z.array(country).min(1),
  };
}

const PERMIT_WORDS = {
  vendors: { description: 'Vendors that requests may go to.' },
  regions: { description: 'Regions that requests may go to. `*` matches any characters, and `cn-*` also matches `cn`.' },
  models: { description: 'Model names that apps may request. `*` matches any characters.' },
  callers: { description: 'Addresses and networks that requests may come from. Absent: any.' },
  countries: {
    description:
      'Countries that requests may come from (`CN`), looked up in the file `server.countries`. An address without a known country is refused. Absent: any.',
  },
};

export function teamSchema(vendors: Vendors) {
  const lists = permitLists(vendors);
  const permit = z.strictObject({
    vendors: lists.vendors.meta(PERMIT_WORDS.vendors),
    regions: lists.regions.meta(PERMIT_WORDS.regions),
    models: lists.models.default(['*']).meta(PERMIT_WORDS.models),
    callers: lists.callers.optional().meta(PERMIT_WORDS.callers),
    countries: lists.countries.optional().meta(PERMIT_WORDS.countries),
  });
  return z.strictObject({
    permit: permit.optional().meta({ description: 'What the keys of the team may use. Absent: nothing; every request is refused.' }),
    limits: limitsSchema.optional().meta({ description: 'Limits for all keys of the team together.' }),
    timeZone: z
      .string()
      .refine(isTimeZone, { error: 'must be an IANA time zone such as Asia/Shanghai' })
      .optional()
      .meta({ description: 'Time zone of the calendar windows of budgets. Absent: UTC.' }),
    moderationFallback: z.boolean().optional().meta({
      description:
        "Whether a request that one backend's moderation refused is sent to the next candidate. Absent or false: the app gets the refusal.",
    }),
    logPrompts: z.boolean().optional().meta({
      description:
        "Whether the log contains the prompt and answer of this team's requests: at most 16,384 characters of each, with backend keys removed, and images, audio and files shown by size only. Absent or false: neither is logged.",
    }),
    onStoreLoss: z.enum(['refuse', 'local', 'admit']).default('refuse').meta({
      description:
        'What happens to requests with limits while `redis` does not answer. `refuse`: they get 503. `local`: each process enforces its share of every limit, which is the limit divided by the number of processes last seen. `admit`: all are served.',
    }),
  });
}

export function keySchema(vendors: Vendors) {
  const lists = permitLists(vendors);
  const permit = z.strictObject({
    vendors: lists.vendors.optional().meta(PERMIT_WORDS.vendors),
    regions: lists.regions.optional().meta(PERMIT_WORDS.regions),
    models: lists.models.optional().meta(PERMIT_WORDS.models),
    callers: lists.callers.optional().meta(PERMIT_WORDS.callers),
    countries: lists.countries.optional().meta(PERMIT_WORDS.countries),
  });
  return z.strictObject({
    name: keyName.meta({ description: 'Name of the key in the log and the books. Must be unique.' }),
    team: name.meta({ description: 'Team that the key belongs to.' }),
    key: clientKey.meta({
      description: `Reference to the key (\`${ENV_REFERENCE}\`, \`env:NAME\` or \`file:/path\`), or \`sha256:\` and its digest in hex. The relay keeps only the digest.`,
    }),
    strict: z.boolean().default(false).meta({
      description: 'Whether a request is refused with 400 when carrying it to the vendor would need a change that may alter the answer.',
    }),
    onDisconnect: z.enum(['cancel', 'drain']).default('cancel').meta({
      description:
        "What happens when the app disconnects. `cancel`: the vendor's call is ended. `drain`: the answer is read to its end, so that the books have its exact use and cost.",
    }),
    reasoning: z.enum(['show', 'hide']).default('show').meta({ description: 'Whether answers contain `reasoning_content`.' }),
    limits: limitsSchema.optional().meta({ description: "Limits for this key, in addition to its team's." }),
    permit: permit
      .optional()
      .meta({ description: "Narrows the team's permit, list by list. It never widens it. Absent, or a list left out: as the team's." }),
    expires: z.iso
      .datetime({ offset: true, error: 'must be an ISO date and time with a zone, such as 2027-01-31T00:00:00Z' })
      .optional()
      .meta({ description: 'Time from which the key is refused, with a time zone. Absent: the key does not expire.' }),
  });
}

function isTimeZone(zone: string): boolean {
  try {
    // Offsets such as +08:00 are understood too, but are no zones: they know no summer time.
    return /^[A-Za-z]/.test(zone) && new Intl.DateTimeFormat('en', { timeZone: zone }).resolvedOptions().timeZone !== '';
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}
