import { readFileSync } from 'node:fs';
import type { Server } from '../config/config.ts';
import { CountryTable } from '../relay/permit/country-table.ts';
import type { Change } from './reload/change.ts';

/** The table of `server.countries`, null when none is named. @throws Error in one line when it cannot be used */
export function openCountries({ countries }: Pick<Server, 'countries'>): CountryTable | null {
  if (countries === undefined) return null;
  try {
    return new CountryTable(readFileSync(countries));
  } catch (error) {
    const [why = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
    throw new Error(`server.countries: ${countries} is not a file of countries in MaxMind's format: ${why}`, { cause: error });
  }
}

/** A file that was replaced under its name changes what the configuration does. */
export function tableChanges(old: CountryTable | null, next: CountryTable | null): readonly Change[] {
  if (old === null || next === null || old.same(next)) return [];
  return [{ effect: 'other', text: 'server.countries: the file changed' }];
}
