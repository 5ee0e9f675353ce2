import { InvalidArgumentError } from 'commander';

/** What `--model-limits` said: name or pattern → its limits, null to remove them; `none` removes all entries. */
export type ModelLimitsOption = Readonly<Record<string, Readonly<Record<string, unknown>> | null>> | 'none';

const WORDS: Readonly<Record<string, string>> = {
  rpm: 'rpm',
  rpd: 'rpd',
  tpm: 'tpm',
  tpd: 'tpd',
  concurrency: 'concurrency',
  'output-reserve': 'outputReserve',
};

const FORM = 'must be written as "gpt-4o=rpm 60, budget 5 CNY per month", as "gpt-4o=none", or none';

/** One more entry, e.g. `gpt-4*=rpm 60, tpm 20000`: an entry replaces the one of its name. The option may be given more than once. */
export function modelLimits(text: string, before: ModelLimitsOption | undefined): ModelLimitsOption {
  if (text === 'none' && before === undefined) return 'none';
  const at = text.indexOf('=');
  if (text === 'none' || before === 'none') throw new InvalidArgumentError('none cannot be combined with other entries');
  if (at < 1) throw new InvalidArgumentError(FORM);
  const name = text.slice(0, at).trim();
  if (Object.hasOwn(before ?? {}, name)) throw new InvalidArgumentError(`${JSON.stringify(name)} is named twice`);
  // Not by assignment: a model may be called `__proto__`.
  return Object.fromEntries([...Object.entries(before ?? {}), [name, limitsOf(text.slice(at + 1).trim())]]);
}

function limitsOf(text: string): Readonly<Record<string, unknown>> | null {
  if (text === 'none') return null;
  const limits: Record<string, unknown> = {};
  for (const part of text.split(',')) {
    const [, word = '', value = ''] = /^ *([a-z-]+) +(.*?) *$/.exec(part) ?? [];
    const field = word === 'budget' ? word : WORDS[word];
    if (field === undefined) throw new InvalidArgumentError(`${FORM}; limits are ${[...Object.keys(WORDS), 'budget'].join(', ')}`);
    if (Object.hasOwn(limits, field)) throw new InvalidArgumentError(`${word} is named twice`);
    limits[field] = word === 'budget' ? money(value) : amount(word, value);
  }
  return limits;
}

function amount(word: string, text: string): number {
  if (!/^-?\d+(?:\.\d+)?$/.test(text)) throw new InvalidArgumentError(`${word} must be a number`);
  return Number(text);
}

/** `500 CNY per month`. @throws InvalidArgumentError */
export function money(text: string): { readonly amount: number; readonly currency: string; readonly per: string } {
  const [, figure, currency = '', per = ''] = /^(-?\d+(?:\.\d+)?) +([A-Za-z]{3}) +per +([a-z]+)$/.exec(text) ?? [];
  if (figure === undefined) throw new InvalidArgumentError('a budget must be written as "500 CNY per month", or none');
  return { amount: Number(figure), currency: currency.toUpperCase(), per };
}
