import { z } from 'zod';
import { configSchema } from './schema.ts';
import type { Vendors } from './vendors.ts';

/** The JSON Schema of the file, for editors and for anything else that writes one. Describes what a user may write, before defaults. */
export function configJsonSchema(vendors: Vendors): JsonSchema {
  const schema = z.toJSONSchema(configSchema(vendors), { io: 'input' }) as JsonSchema;
  return { $schema: schema.$schema, title: 'Estafet configuration (estafet.yaml)', ...schema, required: ['backends'] } as JsonSchema;
}

/** As much of JSON Schema as the configuration's uses. */
export interface JsonSchema {
  readonly $schema?: string;
  readonly type?: string;
  readonly description?: string;
  readonly unit?: string;
  readonly default?: unknown;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly format?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: boolean | JsonSchema;
  readonly required?: readonly string[];
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
}

/** One key of the file. `<name>` in a path stands for a name of the user's choice, `[]` for an entry of a list. */
export interface KeyEntry {
  readonly path: string;
  readonly type: string;
  /** As written in YAML; absent if there is none. */
  readonly default?: string;
  readonly required: boolean;
  readonly description: string;
}

/** Every key of the file, parents before children, in the order of the schema. */
export function configKeys(vendors: Vendors): KeyEntry[] {
  return keysUnder(configJsonSchema(vendors), '');
}

/** The reference page, `docs/generated/config.md`. */
export function configReference(vendors: Vendors): string {
  const entries = configKeys(vendors);
  const sections = entries.filter(({ path }) => !/[.[]/.test(path));
  const parts = [
    '# Configuration reference',
    'Generated from the schema (`npm run docs`); do not edit. How the keys play together: [the guide](../guide/configuration.md).',
    '`<name>` stands for a name of your choice, `[]` for an entry of a list. Keys in bold are required where their parent is written.',
  ];
  for (const { path: top, description } of sections) {
    const rows = entries.filter(({ path }) => path === top || path.startsWith(`${top}.`) || path.startsWith(`${top}[`));
    parts.push(`## ${top}`, description, ['| key | value | default | meaning |', '|---|---|---|---|', ...rows.map(row)].join('\n'));
  }
  return `${parts.join('\n\n')}\n`;
}

function row(entry: KeyEntry): string {
  const key = `\`${entry.path}\``;
  const fallback = entry.default === undefined ? '' : `\`${entry.default}\``;
  return `| ${entry.required ? `**${key}**` : key} | ${entry.type} | ${fallback} | ${entry.description.replaceAll('|', '\\|')} |`;
}

function keysUnder(schema: JsonSchema, path: string): KeyEntry[] {
  const inner = schema.anyOf === undefined ? [] : schema.anyOf.flatMap((branch) => keysUnder(branch, path));
  const own = Object.entries(schema.properties ?? {}).flatMap(([key, child]) => {
    const here = path === '' ? key : `${path}.${key}`;
    return [entryFor(here, child, schema.required?.includes(key) === true), ...keysUnder(child, here)];
  });
  const named = typeof schema.additionalProperties === 'object' ? keysUnder(schema.additionalProperties, `${path}.<name>`) : [];
  const listed = schema.items === undefined ? [] : keysUnder(schema.items, `${path}[]`);
  return [...inner, ...own, ...named, ...listed];
}

function entryFor(path: string, schema: JsonSchema, required: boolean): KeyEntry {
  const fallback = schema.default;
  const isNothing = fallback === undefined || (typeof fallback === 'object' && Object.keys(fallback ?? {}).length === 0);
  return {
    path,
    type: typeText(schema),
    ...(isNothing ? {} : { default: typeof fallback === 'string' ? fallback : JSON.stringify(fallback) }),
    required,
    description: schema.description ?? '',
  };
}

function typeText(schema: JsonSchema): string {
  const unit = schema.unit === undefined ? '' : `, ${schema.unit}`;
  if (schema.enum !== undefined) return schema.enum.map((value) => `\`${String(value)}\``).join(' or ');
  if (schema.const !== undefined) return `\`${String(schema.const)}\``;
  if (schema.anyOf !== undefined) return [...new Set(schema.anyOf.map(typeText))].join(' or ');
  if (schema.type === 'array') return `list of ${typeText(schema.items ?? {})}`;
  if (schema.type === 'object')
    return typeof schema.additionalProperties === 'object' ? `name → ${typeText(schema.additionalProperties)}` : 'mapping';
  if (schema.type === 'integer' || schema.type === 'number')
    return `${schema.type === 'integer' ? 'whole number' : 'number'}${rangeText(schema)}${unit}`;
  if (schema.type === 'boolean') return 'true or false';
  return schema.format === 'date-time' ? 'date and time' : 'text';
}

function rangeText({ minimum, maximum, exclusiveMinimum }: JsonSchema): string {
  const low = exclusiveMinimum === undefined ? (minimum === undefined ? '' : ` from ${minimum}`) : ` above ${exclusiveMinimum}`;
  const high = maximum === undefined || maximum === Number.MAX_SAFE_INTEGER ? '' : ` to ${maximum}`;
  return low + high;
}
