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
  vendors: { description: 'Vendors that may be used.' },
  regions: { description: 'Regions that may be used; `*` stands for any characters, and `cn-*` covers the region `cn` too.' },
  models: { description: 'Model names that may be asked for; `*` stands for any characters.' },
  callers: { description: 'Addresses and networks that may call. Absent: any network.' },
  countries: {
    description: 'Countries that may call, by the table of `server.countries`. Absent: any. An address of no known country is refused.',
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
    permit: permit.optional().meta({ description: 'What the keys of the team may use. Absent: nothing, every request is refused.' }),
    limits: limitsSchema.optional().meta({ description: 'Limits of all keys of the team together.' }),
    timeZone: z
      .string()
      .refine(isTimeZone, { error: 'must be an IANA time zone such as Asia/Shanghai' })
      .optional()
      .meta({ description: 'Time zone in which the windows of budgets begin and end. Absent: UTC.' }),
    moderationFallback: z.boolean().optional().meta({
      description:
        "Whether what one backend's moderation refused may be sent to the next candidate. Absent or false: the refusal is the answer.",
    }),
    logPrompts: z.boolean().optional().meta({
      description:
        'Whether the log line of a request of this team holds its prompt and answer: at most 16,384 characters of each, without keys of backends; images, audio and files as sizes. Absent or false: no prompt and no answer is logged.',
    }),
    onStoreLoss: z.enum(['refuse', 'local', 'admit']).default('refuse').meta({
      description:
        'What happens to requests with limits while `redis` does not answer: `refuse` them (503); `local`: each process counts its share of every limit by itself, the limit divided by the processes last seen; or `admit` all of them.',
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
    name: keyName.meta({ description: 'Name of the key in logs and bills; no two keys share one.' }),
    team: name.meta({ description: 'Team the key belongs to.' }),
    key: clientKey.meta({
      description: `The key: \`${ENV_REFERENCE}\`, \`env:NAME\`, \`file:/path\` or \`sha256:\` and its digest. Only the digest is kept.`,
    }),
    strict: z.boolean().default(false).meta({ description: 'Refuse a request (400) rather than change or drop one of its fields.' }),
    onDisconnect: z
      .enum(['cancel', 'drain'])
      .default('cancel')
      .meta({ description: "When the app goes away: `cancel` the vendor's call, or `drain` it to learn the exact use." }),
    reasoning: z.enum(['show', 'hide']).default('show').meta({ description: 'Whether `reasoning_content` is part of the answers.' }),
    limits: limitsSchema.optional().meta({ description: 'Limits of this key, besides those of its team.' }),
    permit: permit.optional().meta({ description: "Narrows the team's permit; never widens it. A list left out narrows nothing." }),
    expires: z.iso
      .datetime({ offset: true, error: 'must be an ISO date and time with a zone, such as 2027-01-31T00:00:00Z' })
      .optional()
      .meta({ description: 'From then on the key is refused.' }),
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
