import { loadCatalog } from '../catalog/catalog.ts';
import type { Config, ModelEntry } from '../config/config.ts';
import { nearest } from '../config/nearest.ts';
import { formatPath, type Path, type Problem } from '../config/problem.ts';
import { PriceList } from '../relay/ledger/price-list.ts';
import { goneFromMs, retirements, retirementText } from '../relay/routing/retirement.ts';
import { modelQuestion, questionTo } from '../server/probe/question.ts';
import { HORIZON_DAYS } from '../server/telemetry/retirement-watch.ts';

/** What only the catalogue can tell of a file that is good in itself. */
export const catalogWarnings = (config: Config, nowMs: number): Problem[] => [
  ...unlistedWarnings(config),
  ...kindWarnings(config),
  ...probeWarnings(config, nowMs),
  ...retirementWarnings(config, nowMs),
];

/** Candidates whose model their vendor switches off within the next months, or has. */
export function retirementWarnings(config: Config, nowMs: number): Problem[] {
  const found = retirements(config, loadCatalog().with(config.catalog), nowMs, HORIZON_DAYS);
  return found.map(({ alias, form, index, backend, model, forced, ...when }) => {
    const skipped = when.daysLeft > 0 ? '' : forced ? '; it is used all the same (force)' : '; it is skipped';
    return ofCandidate(config, alias, form, index, `${backend}/${model} ${retirementText(when)}${skipped}`);
  });
}

/** Candidates that the catalogue does not know: a slip, or a model that is newer than this release, or the account's own. */
export function unlistedWarnings(config: Config): Problem[] {
  const catalog = loadCatalog().with(config.catalog);
  return Object.entries(config.models).flatMap(([alias, { to, form }]) =>
    to.flatMap(({ backend, model }, index) => {
      const { vendor = '' } = config.backends[backend] ?? {};
      if (catalog.find(vendor, model) !== null) return [];
      const near = nearest(model, catalog.models(vendor, ['chat', 'embedding', 'rerank']));
      const meant = near === undefined ? '' : ` (did you mean ${near}?)`;
      const text = `${backend}/${model} is not in the catalogue${meant}; if the name is right, describe the model in \`catalog\``;
      return [ofCandidate(config, alias, form, index, text)];
    }),
  );
}

/** Candidates of another kind than the first of their name: no request that the one can answer goes to the other. What nobody lists may be of any kind. */
export function kindWarnings(config: Config): Problem[] {
  const catalog = loadCatalog().with(config.catalog);
  return Object.entries(config.models).flatMap(([alias, { to, form }]) => {
    const listed = to.flatMap(({ backend, model }, index) => {
      const kind = catalog.find(config.backends[backend]?.vendor ?? '', model)?.kind;
      return kind === undefined ? [] : [{ place: `${backend}/${model}`, kind, index }];
    });
    const [first] = listed;
    return listed.flatMap(({ place, kind, index }) => {
      if (first === undefined || kind === first.kind) return [];
      const text = `${place} is ${kindText(kind)}, and ${first.place} before it ${kindText(first.kind)}: neither can replace the other; give each kind its own name`;
      return [ofCandidate(config, alias, form, index, text)];
    });
  });
}

/** Models of probes that the vendor will hardly answer for, and probes without any: a backend that works again would not be found out by them. */
export function probeWarnings(config: Config, nowMs: number): Problem[] {
  const catalog = loadCatalog().with(config.catalog);
  const prices = new PriceList(catalog, new Date(nowMs).toISOString().slice(0, 10));
  return Object.values(config.backends).flatMap((backend) => {
    const { name, vendor, probe, breaker } = backend;
    if (probe === 'off') return [];
    const { model: id } = probe;
    if (id === undefined) {
      // Of a breaker that is off is told where the file is read.
      if (breaker === 'off' || modelQuestion(config, catalog, prices, backend, nowMs) !== null) return [];
      const text = '`models` sends no model here that a probe could ask, so that requests probe; name one: probe: { model: … }';
      return [unplaced(config, ['backends', name, 'probe'], text)];
    }
    const model = catalog.find(vendor, id);
    const told = (what: string): Problem[] => [unplaced(config, ['backends', name, 'probe', 'model'], `${id} ${what}`)];
    const another = 'name another, or leave it out for the cheapest chat model that `models` sends there';
    if (model === null) {
      const near = nearest(id, catalog.models(vendor, ['chat', 'embedding']));
      return told(`is not in the catalogue${near === undefined ? '' : ` (did you mean ${near}?)`}; ${another}`);
    }
    if (goneFromMs(model) <= nowMs) return told(`${retirementText({ ...model, daysLeft: 0 })}; ${another}`);
    return questionTo(catalog, backend, id) === null ? told(`is ${kindText(model.kind)}, which no probe asks here; ${another}`) : [];
  });
}

const kindText = (kind: string): string => `${/^[aeiou]/.test(kind) ? 'an' : 'a'} ${kind} model`;

function ofCandidate(config: Config, alias: string, form: ModelEntry['form'], index: number, message: string): Problem {
  return unplaced(config, form === 'list' ? ['models', alias, index] : ['models', alias, 'to', index], message);
}

/** The path says where: lines are known only while the file is read. */
const unplaced = ({ file }: Config, path: Path, message: string): Problem => ({
  file,
  path: formatPath(path),
  line: 0,
  column: 0,
  message,
});
