import type { CardModel, Change, Feature, Json, Probe, Seen } from './feature.ts';
import { vendorField } from './vendor-fields.ts';

/** Lies and silence: what the vendor got beside what the receipt says of it. Nothing can be said on a live backend. */
export function carriedFaults(feature: Feature, probe: Probe, { vendor }: CardModel, { sent, changes }: Seen): string[] {
  const body = probe.ask.body ?? {};
  const request = sent?.[0]?.body;
  if (request === undefined) return [];
  const found = changes.flatMap((change) => untrue(change, request));
  for (const field of feature.fields) {
    const value = body[field];
    const place = vendorField(vendor, field);
    if (value === undefined || value === null || place === undefined) continue;
    const told = changes.find((change) => change.field === field && change.fate !== 'defaulted');
    const arrived = place !== null && same(request[place], value);
    if (!arrived && told === undefined) found.push(`${field} did not reach the vendor, and the receipt is silent`);
    else if (arrived && (told?.fate === 'dropped' || told?.fate === 'clamped'))
      found.push(`the receipt says ${told.fate}, and ${field} reached the vendor`);
    else if (told?.fate === 'clamped' && told.to !== undefined && place !== null && !valueIs(request[place], told.to))
      found.push(`the receipt says that ${told.to} was sent, the vendor got ${JSON.stringify(request[place])}`);
  }
  return found;
}

/** A plain place in the vendor's request, perhaps a list, perhaps with a value. */
const PLACE = /^[a-z_.]+(\[\])?(=.*)?$/;

/** `renamed` to `name` or `name=value`: it must stand there. Headers and parts of messages are not looked at. */
function untrue({ field, fate, to }: Change, request: Json): string[] {
  if (fate !== 'renamed' || to === undefined || /[[.]/.test(field) || !PLACE.test(to)) return [];
  const [path = '', value] = to.replace('[]', '').split('=', 2);
  const there = path.split('.').reduce<unknown>((at, key) => (at as Json | undefined)?.[key], request);
  const good = there !== undefined && (value === undefined || valueIs(there, value));
  return good ? [] : [`the receipt says that ${field} was sent as ${to}, the vendor did not get it`];
}

const same = (there: unknown, value: unknown): boolean => JSON.stringify(there) === JSON.stringify(value);
const valueIs = (there: unknown, text: string): boolean => (typeof there === 'string' ? there : JSON.stringify(there)) === text;
