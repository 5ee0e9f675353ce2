import type { Backend, Candidate, CatalogEntry, Config, Key, KeyPermit, Limits, ModelEntry, ModelLimits, Permit } from './config.ts';
import { formatProblem, type Problem } from './problem.ts';

/** What `estafet check` prints for a good file: what leads where, in plain lines. Holds no secret; of a client key the first 12 digits of its digest. */
export function explainConfig(config: Config, warnings: readonly Problem[] = []): string {
  const { server, backends, models, catalog, teams, keys } = config;
  const lines = [
    `${config.file}: good, ${plural(warnings.length, 'warning')}`,
    `listens on ${server.host.includes(':') ? `[${server.host}]` : server.host}:${server.port}${server.workers === 1 ? '' : `, workers: ${server.workers}`}`,
    ...section('backends', Object.values(backends).map(backendLine)),
    ...section(
      'models',
      Object.entries(models).map(
        ([alias, { to, ...settings }]) =>
          `${alias} → ${to.map(({ backend, model, ...more }) => `${backend}/${model}${notes(more)}`).join(', ')}${strategyText(settings)}`,
      ),
    ),
    ...section(
      'catalog',
      Object.entries(catalog).map(([name, entry]) => `${name}: ${factsText(entry)}`),
    ),
    ...section(
      'teams',
      Object.values(teams).map(
        ({ name, permit, limits, onStoreLoss, logPrompts }) =>
          `${name}: ${permit === undefined ? 'no permit, every request is refused' : permitText(permit)}${limitsText(limits)}${onStoreLoss === 'refuse' ? '' : `, without Redis: ${onStoreLoss}`}${logPrompts === true ? ', prompts and answers in the log' : ''}`,
      ),
    ),
    ...section('keys', keys.map(keyLine)),
    ...section('warnings', warnings.map(formatProblem)),
  ];
  return `${lines.join('\n')}\n`;
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [`${title}:`, ...lines.map((line) => `  ${line}`)];
}

function backendLine(backend: Backend): string {
  const { name, vendor, region, baseUrl, protocol, rpm, rpd, tpm, tpd, concurrency } = backend;
  const own = limitsText({ rpm, rpd, tpm, tpd, concurrency });
  return `${name}: ${vendor} in ${region}, ${baseUrl}${protocol === 'compatible' ? '' : ` (${protocol})`}${own}`;
}

function keyLine(key: Key): string {
  const parts = [
    `${key.name}: team ${key.team}`,
    `sha256:${key.digest.slice(0, 12)}…`,
    ...(key.strict ? ['strict'] : []),
    ...(key.reasoning === 'hide' ? ['reasoning hidden'] : []),
    ...(key.onDisconnect === 'drain' ? ['drains on disconnect'] : []),
    ...(key.expiresAtMs === undefined ? [] : [`expires ${new Date(key.expiresAtMs).toISOString()}`]),
    ...(key.permit === undefined ? [] : [`narrowed to ${permitText(key.permit)}`]),
  ];
  return parts.join(', ') + limitsText(key.limits);
}

export function permitText(permit: Permit | KeyPermit): string {
  const lists = (['vendors', 'regions', 'models', 'callers', 'countries'] as const).flatMap((list) => {
    const entries = permit[list];
    return entries === undefined ? [] : [`${list} ${entries.join(' ')}`];
  });
  return lists.length === 0 ? 'nothing in particular' : lists.join('; ');
}

export function limitsText(limits: Limits | undefined): string {
  if (limits === undefined) return '';
  const { models = {}, ...own } = limits;
  const groups = [amounts(own), ...Object.entries(models).map(([name, entry]) => `${name}: ${amounts(entry) || 'no limits'}`)];
  const text = groups.filter((group) => group !== '').join('; ');
  return text === '' ? '' : ` [${text}]`;
}

function amounts({ budget, ...counts }: ModelLimits): string {
  const parts = Object.entries(counts).flatMap(([name, amount]) => (amount === undefined ? [] : [`${name} ${amount}`]));
  if (budget !== undefined) parts.push(`budget ${budget.amount} ${budget.currency} per ${budget.per}`);
  return parts.join(', ');
}

function notes({ weight, thinking, force }: Pick<Candidate, 'weight' | 'thinking' | 'force'>): string {
  const parts = [
    ...(weight === null ? [] : [`weight ${weight}`]),
    ...(thinking === 'auto' ? [] : [`thinking ${thinking}`]),
    ...(force ? ['forced'] : []),
  ];
  return parts.length === 0 ? '' : ` (${parts.join(', ')})`;
}

/** A bare list is as it reads: nothing is said of it. */
function strategyText({ form, strategy, affinity, hedge, totalDeadlineMs }: Omit<ModelEntry, 'to'>): string {
  if (form === 'list') return '';
  const { after, mostPercent } = hedge ?? {};
  const parts = [
    `by ${strategy}`,
    ...(affinity ? ['conversations keep to one candidate'] : []),
    ...(hedge === null ? [] : [`hedge after ${after}${typeof after === 'number' ? ' ms' : ''} (at most ${mostPercent}% of requests)`]),
    ...(totalDeadlineMs === null ? [] : [`deadline ${totalDeadlineMs} ms`]),
  ];
  return `; ${parts.join(', ')}`;
}

/** `contextTokens 32768, vision false`. */
function factsText(entry: CatalogEntry): string {
  const facts = Object.entries(entry).map(([fact, value]) => `${fact} ${String(value)}`);
  return facts.length === 0 ? 'nothing in particular' : facts.join(', ');
}

function plural(count: number, word: string): string {
  return `${count === 0 ? 'no' : count} ${word}${count === 1 ? '' : 's'}`;
}
