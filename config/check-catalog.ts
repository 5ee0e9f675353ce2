import { type CheckContext, emptyRecord, reportUnknownName } from './check-context.ts';
import type { CatalogEntry } from './config.ts';
import type { ConfigInput } from './schema.ts';

/** `catalog`: names are `vendor/model`, with a vendor that there is. */
export function checkCatalog(input: ConfigInput['catalog'], context: CheckContext): Record<string, CatalogEntry> {
  const entries = emptyRecord<CatalogEntry>();
  for (const [name, entry] of Object.entries(input)) {
    const path = ['catalog', name];
    const slash = name.indexOf('/');
    const vendor = name.slice(0, Math.max(0, slash));
    if (slash < 1 || slash + 1 === name.length) {
      context.problems.add(path, 'must be written as vendor/model', { at: 'key' });
    } else if (!Object.hasOwn(context.vendors, vendor)) {
      reportUnknownName(context, path, 'vendor', vendor, Object.keys(context.vendors), 'key');
    }
    if (entry.retired === false && entry.shutdown !== undefined) {
      context.problems.add([...path, 'retired'], 'contradicts shutdown: remove one of them');
    }
    entries[name] = entry;
  }
  return entries;
}
