import { z } from 'zod';
import { keySchema, teamSchema } from './schema-access.ts';
import { backendSchema } from './schema-backend.ts';
import { booksSchema } from './schema-books.ts';
import { catalogEntrySchema } from './schema-catalog.ts';
import { modelEntrySchema } from './schema-models.ts';
import { serverSchema } from './schema-server.ts';
import type { Vendors } from './vendors.ts';
import { freeName, name, secretReference } from './words.ts';

/**
 * The whole file. From this one schema come the types, the validation, the JSON Schema for editors and the reference
 * in the documentation. It checks each value by itself; what spans several keys is in the check-*.ts files.
 */
export function configSchema(vendors: Vendors) {
  return z.strictObject({
    server: serverSchema.prefault({}).meta({ description: 'Where the relay listens, and its own bounds.' }),
    backends: z
      .record(name, backendSchema(vendors))
      .default({})
      .meta({ description: 'Vendor accounts by a name of your choice. At least one.' }),
    models: z
      .record(freeName, modelEntrySchema)
      .default({})
      .meta({ description: "What apps ask for → where it may go, in order. A backend's own model names work without an entry." }),
    catalog: z.record(freeName, catalogEntrySchema).default({}).meta({
      description: '`vendor/model` → what is known of it, besides or instead of what the shipped catalogue says.',
    }),
    teams: z.record(name, teamSchema(vendors)).default({}).meta({ description: 'Groups of keys with a permit and limits in common.' }),
    keys: z
      .array(keySchema(vendors))
      .default([])
      .meta({ description: 'Keys of the apps; more can be made by command and live in `database`.' }),
    redis: connectionText.optional().meta({
      description:
        'Address of Redis (`redis://`, `redis+cluster://`, `redis+sentinel://`; `rediss` for TLS), or a reference to it. Absent: limits live in this process.',
    }),
    database: connectionText.optional().meta({
      description:
        'Where books, and keys and teams made by command, are kept: `sqlite:` and a path, `postgres://…`, or `memory:` (gone with the process); or a reference to it. Absent: `sqlite:./data/estafet.db`.',
    }),
    books: booksSchema.prefault({}).meta({ description: 'What was used and what it cost: how long it is kept.' }),
  });
}

/** A URL may be written out or referenced; both are treated as secret, since it may hold a password. */
const connectionText = z.union([secretReference, z.string().min(1)]);

/** The file as it was written, after the schema: defaults filled in, secrets still references. */
export type ConfigInput = z.output<ReturnType<typeof configSchema>>;
export type BackendInput = z.output<ReturnType<typeof backendSchema>>;
