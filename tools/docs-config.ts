import { configJsonSchema, configReference } from '../config/reference.ts';
import { DOCUMENTED_VENDORS } from './docs-vendors.ts';

/** The generated pages of the configuration: path from the project's root → text. Writes nothing. */
export function generateConfigDocs(): Record<string, string> {
  return {
    'docs/generated/config.md': configReference(DOCUMENTED_VENDORS),
    'docs/generated/estafet.schema.json': `${JSON.stringify(configJsonSchema(DOCUMENTED_VENDORS), null, 2)}\n`,
  };
}
