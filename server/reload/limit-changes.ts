import type { Backend, Config, Limits } from '../../config/config.ts';
import type { Change } from './change.ts';

/** Which limits tighten, and which loosen. One that is new tightens, one that goes loosens. */
export function limitChanges(old: Config, next: Config): Change[] {
  return [
    ...differences('backend', old.backends, next.backends, ({ rpm, rpd, tpm, tpd, concurrency }: Backend) =>
      flat({ rpm, rpd, tpm, tpd, concurrency }),
    ),
    ...differences('team', old.teams, next.teams, ({ limits, onStoreLoss, timeZone, logPrompts }) => [
      ...flat(limits),
      ['onStoreLoss', onStoreLoss],
      ['timeZone', timeZone ?? 'UTC'],
      ['logPrompts', String(logPrompts ?? false)],
    ]),
    ...differences('key', byName(old), byName(next), ({ limits }) => flat(limits)),
  ];
}

type Amounts = readonly (readonly [name: string, amount: number | string])[];

/** Owners of only one of the two are told as such, not limit by limit. */
function differences<T>(
  kind: string,
  old: Readonly<Record<string, T>>,
  next: Readonly<Record<string, T>>,
  amountsOf: (owner: T) => Amounts,
): Change[] {
  return Object.entries(next).flatMap(([name, owner]) => {
    const before = old[name];
    return before === undefined ? [] : compared(`${kind} ${name}`, new Map(amountsOf(before)), new Map(amountsOf(owner)));
  });
}

function compared(whose: string, old: ReadonlyMap<string, number | string>, next: ReadonlyMap<string, number | string>): Change[] {
  return [...new Set([...old.keys(), ...next.keys()])].flatMap((name): Change[] => {
    const [from, to] = [old.get(name), next.get(name)];
    if (from === to) return [];
    const text = `${whose}: ${name} ${from ?? 'no limit'} → ${to ?? 'no limit'}`;
    if (typeof from === 'string' || typeof to === 'string' || name.endsWith('outputReserve')) return [{ effect: 'other', text }];
    return [{ effect: (to ?? Number.POSITIVE_INFINITY) < (from ?? Number.POSITIVE_INFINITY) ? 'less' : 'more', text }];
  });
}

/** `models.gpt-4o.rpm`, `budget CNY per month`. */
function flat(limits: Limits | undefined): Amounts {
  if (limits === undefined) return [];
  const { models = {}, ...own } = limits;
  const amounts = ({ budget, ...counts }: Limits, prefix: string): Amounts => [
    ...Object.entries(counts).flatMap(([name, amount]) => (typeof amount === 'number' ? [[`${prefix}${name}`, amount] as const] : [])),
    ...(budget === undefined ? [] : [[`${prefix}budget ${budget.currency} per ${budget.per}`, budget.amount] as const]),
  ];
  return [...amounts(own, ''), ...Object.entries(models).flatMap(([name, entry]) => amounts(entry, `models.${name}.`))];
}

const byName = ({ keys }: Config): Record<string, Config['keys'][number]> => Object.fromEntries(keys.map((key) => [key.name, key]));
