import type { Catalog } from '../../catalog/catalog.ts';

/** Is it a model for chat? One that the catalogue does not know is judged by its name. */
export function isChatModel(catalog: Catalog, vendor: string, model: string): boolean {
  const known = catalog.find(vendor, model);
  if (known !== null) return known.kind === 'chat';
  return !catalog.claims(vendor, model, 'embedding') && !catalog.claims(vendor, model, 'rerank');
}
