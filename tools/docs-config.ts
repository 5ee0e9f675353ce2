import { configJsonSchema, configReference } from '../config/reference.ts';
import { VENDORS } from '../translators/registry.ts';

/** The generated pages of the configuration: path from the project's root → text. Writes nothing. */
export function generateConfigDocs(): Record<string, string> {
  return {
    'docs/generated/config.md': configReference(VENDORS),
    'docs/generated/estafet.schema.json': `${JSON.stringify(configJsonSchema(VENDORS), null, 2)}\n`,
  };
}
