import { regionMatches } from './glob.ts';
import { nearest } from './nearest.ts';
import { networkFault } from './network.ts';
import type { Path, Problems } from './problem.ts';
import type { SecretSource } from './secret.ts';
import type { Vendors } from './vendors.ts';

/** What the checks that span several keys share. */
export interface CheckContext {
  readonly vendors: Vendors;
  readonly secrets: SecretSource;
  /** Errors: any one refuses the file. */
  readonly problems: Problems;
  readonly warnings: Problems;
  /** Names the file gives, also of entries that are wrong otherwise: one mistake shall not cause a second message. */
  readonly backendNames: readonly string[];
  readonly teamNames: readonly string[];
  /** Regions of the vendors and of the backends in the file. */
  readonly regions: readonly string[];
  /** Is there a table that tells the country of an address? */
  readonly hasCountries: boolean;
  /** How long the books keep a line for each request. */
  readonly retentionDays: number;
  /** Does this name lead anywhere, permits aside? */
  readonly isModel: (name: string) => boolean;
  /** Is it a chat model, as far as is known? */
  readonly isChat: (backend: string, model: string) => boolean;
  /** Was this key written, or is its value a default? */
  readonly isWritten: (path: Path) => boolean;
}

/** What the checks of one key's or team's own settings need, wherever these come from. */
export type SettingsContext = Pick<CheckContext, 'problems' | 'warnings' | 'regions' | 'hasCountries'> &
  Partial<Pick<CheckContext, 'retentionDays' | 'isModel'>>;

/** A record without prototype: any name is an ordinary name, `constructor` too. */
export function emptyRecord<T>(): Record<string, T> {
  return Object.create(null) as Record<string, T>;
}

/** `unknown backend "qwne", did you mean "qwen"?` */
export function reportUnknownName(
  context: CheckContext,
  path: Path,
  what: string,
  name: string,
  known: readonly string[],
  at: 'key' | 'value' = 'value',
): void {
  const near = nearest(name, known);
  const list = known.length === 0 ? 'there is none' : `there are: ${known.join(', ')}`;
  const message = `unknown ${what} ${JSON.stringify(name)}`;
  context.problems.add(path, near === undefined ? `${message}; ${list}` : message, { at, nearest: near });
}

/** Region patterns that match no region at all are slips, not wishes. */
export function checkRegions(context: SettingsContext, path: Path, globs: readonly string[] | undefined): void {
  globs?.forEach((glob, index) => {
    if (context.regions.some((region) => regionMatches(glob, region))) return;
    const near = nearest(glob, context.regions);
    const message = `${JSON.stringify(glob)} matches no region`;
    context.problems.add([...path, index], near === undefined ? `${message}; there are: ${context.regions.join(', ')}` : message, {
      nearest: near,
    });
  });
}

/** Addresses and networks; false when one is wrong. */
export function checkNetworks(
  networks: readonly string[] | undefined,
  path: Path,
  { problems }: Pick<SettingsContext, 'problems'>,
): boolean {
  let fine = true;
  networks?.forEach((network, index) => {
    const fault = networkFault(network);
    if (fault === undefined) return;
    problems.add([...path, index], `${JSON.stringify(network.slice(0, 64))} ${fault}`);
    fine = false;
  });
  return fine;
}
