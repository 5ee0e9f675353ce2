import type { Config } from '../../config/config.ts';
import { sameSettings } from '../../config/same-settings.ts';
import { accessChanges } from './access-changes.ts';
import { type Change, namesOf, type Routed } from './change.ts';
import { limitChanges } from './limit-changes.ts';

const ORDER = ['less', 'more', 'other', 'restart'] as const;

/** What changes from one configuration to the next; what takes something away comes first. */
export function configChanges(old: Routed, next: Routed): Change[] {
  const changes = [
    ...accessChanges(old, next),
    ...limitChanges(old.config, next.config),
    ...backendChanges(old.config, next.config),
    ...modelChanges(old.config, next.config),
    ...settingChanges('catalog', old.config.catalog, next.config.catalog),
    ...settingChanges('server', old.config.server, next.config.server),
  ];
  return ORDER.flatMap((effect) => changes.filter((change) => change.effect === effect));
}

function backendChanges({ backends: old }: Config, { backends: next }: Config): Change[] {
  const changes: Change[] = [];
  for (const name of namesOf(old, next)) {
    const [from, to] = [old[name], next[name]];
    if (from === undefined) changes.push({ effect: 'more', text: `backend ${name} is added` });
    else if (to === undefined) changes.push({ effect: 'less', text: `backend ${name} is removed` });
    // Its limits are told with the limits.
    else changes.push(...settingChanges(`backend ${name}`, from, to, ['rpm', 'rpd', 'tpm', 'tpd', 'concurrency']));
  }
  return changes;
}

function modelChanges({ models: old }: Config, { models: next }: Config): Change[] {
  const changes = namesOf(old, next).flatMap((alias): Change[] => {
    const [from, to] = [old[alias], next[alias]];
    const places = sameSettings(from?.to, to?.to)
      ? []
      : [{ effect: 'other' as const, text: `model ${alias}: ${placesText(from)} → ${placesText(to)}` }];
    return from === undefined || to === undefined ? places : [...places, ...settingChanges(`model ${alias}`, from, to, ['to'])];
  });
  const globs = (models: Config['models']) => Object.keys(models).filter((name) => name.includes('*'));
  const reordered = changes.length === 0 && !sameSettings(globs(old), globs(next));
  return reordered ? [{ effect: 'other', text: 'models: the order of the patterns changed' }] : changes;
}

/** Numbers and words are shown, anything that may hold a secret or is long is not. */
function settingChanges(what: string, from: object, to: object, except: readonly string[] = []): Change[] {
  const old = from as Readonly<Record<string, unknown>>;
  const next = to as Readonly<Record<string, unknown>>;
  return namesOf(old, next).flatMap((name): Change[] => {
    if (except.includes(name) || sameSettings(old[name], next[name])) return [];
    const shown = SHOWN.has(typeof old[name]) && SHOWN.has(typeof next[name]);
    return [{ effect: 'other', text: `${what}: ${name} ${shown ? `${valueText(old[name])} → ${valueText(next[name])}` : 'changed'}` }];
  });
}

const SHOWN: ReadonlySet<string> = new Set(['number', 'string', 'boolean', 'undefined']);

const valueText = (value: unknown): string => (value === undefined ? 'none' : String(value));

function placesText(model: Config['models'][string] | undefined): string {
  if (model === undefined) return 'nothing';
  const notes = ({ weight, thinking, force }: (typeof model.to)[number]): string =>
    `${weight === null ? '' : ` weight ${weight}`}${thinking === 'auto' ? '' : ` thinking ${thinking}`}${force ? ' forced' : ''}`;
  return model.to.map((candidate) => `${candidate.backend}/${candidate.model}${notes(candidate)}`).join(', ');
}
