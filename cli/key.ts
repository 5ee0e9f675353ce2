import type { KeyView } from '../server/access/access-view.ts';
import { keyView } from '../server/access/access-view.ts';
import type { SettingsPatch } from '../server/access/settings-patch.ts';
import { printJson, printKeys, printOne } from './access-print.ts';
import { changing, SETTINGS, showing, warnOf } from './access-session.ts';

interface Common {
  readonly config: string;
  readonly json?: boolean;
}

type Row = Parameters<typeof keyView>[0];

/** As it is right after a change that found it in order. */
const changed = (row: Row): KeyView => keyView(row, SETTINGS, { nowMs: Date.now(), inForce: true, ofFile: false });

/** `estafet key new`: the one time the key is shown. */
export function keyNew({ name, team, config, json }: Common & { readonly name?: string; readonly team: string }, patch: SettingsPatch) {
  return changing(config, async (desk) => {
    const made = await desk.newKey(name, team, patch);
    const { id, name: called, team: of, ...rest } = changed(made.row);
    warnOf(made.warnings);
    if (json) printJson({ id, name: called, team: of, key: made.key, ...rest });
    else {
      printOne({ id, name: called, team: of, ...rest }, { key: made.key });
      console.error('Copy the key now: it is shown only once, and the database keeps only its digest.');
    }
  });
}

export function keyList({ team, config, json }: Common & { readonly team?: string }): Promise<void> {
  return showing(config, ({ keys }) => {
    const shown = keys.filter((key) => team === undefined || key.team === team);
    if (json) printJson({ keys: shown });
    else printKeys(shown);
    for (const { name } of keys.filter(({ state }) => state === 'defined_by_file')) {
      console.error(
        `warning: the file also defines a key ${JSON.stringify(name)}, and takes precedence: the one in the database is refused`,
      );
    }
  });
}

export function keyShow(idOrName: string, { config, json }: Common): Promise<void> {
  return showing(config, ({ keys }) => {
    // The file comes first: where both define a name, its key is the one in force.
    const found = keys.find(({ id }) => id === idOrName) ?? keys.find(({ name }) => name === idOrName);
    if (found === undefined) {
      console.error(`estafet: there is no key ${JSON.stringify(idOrName)}`);
      process.exitCode = 1;
    } else if (json) printJson(found);
    else printOne(found);
  });
}

export function keySet(idOrName: string, { config, json }: Common, patch: SettingsPatch): Promise<void> {
  return changing(config, async (desk) => {
    const { row, warnings } = await desk.setKey(idOrName, patch);
    warnOf(warnings);
    if (json) printJson(changed(row));
    else printOne(changed(row));
  });
}

export function keyRevoke(idOrName: string, { config, json }: Common): Promise<void> {
  return changing(config, async (desk, { file }) => {
    const { row, was, ofFile } = await desk.revokeKey(idOrName);
    if (json) printJson(changed(row));
    else console.log(`key ${JSON.stringify(row.name)} (${row.id}) ${was ? 'is revoked' : 'was revoked already'}`);
    if (ofFile)
      console.error(`warning: ${file} also defines a key ${JSON.stringify(row.name)}, which stays valid: remove it from the file`);
  });
}
