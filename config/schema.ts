import { z } from 'zod';
import { keySchema, teamSchema } from './schema-access.ts';
import { backendSchema } from './schema-backend.ts';
import { booksSchema } from './schema-books.ts';
import { catalogEntrySchema } from './schema-catalog.ts';
import { modelEntrySchema } from './schema-models.ts';
import { redisTlsSchema } from './schema-redis.ts';
import { serverSchema } from './schema-server.ts';
import type { Vendors } from './vendors.ts';
import { freeName, name, secretReference } from './words.ts';

/**
 * The whole file. From this one schema come the types, the validation, the JSON Schema for editors and the reference
 * in the documentation. It checks each value by itself; what spans several keys is in the check-*.ts files.
 */
export function configSchema(vendors: Vendors) {
  return z.strictObject({
    server: serverSchema.prefault({}).meta({ description: 'Where the relay listens, and the bounds that protect it.' }),
    backends: z
      .record(name, backendSchema(vendors))
      .default({})
      .meta({ description: 'Vendor accounts, each under a name of your choice. At least one is required.' }),
    models: z.record(freeName, modelEntrySchema).default({}).meta({
      description:
        "The model names that apps use, each with the candidates that serve it, in order. A backend's own model names work without an entry.",
    }),
    catalog: z.record(freeName, catalogEntrySchema).default({}).meta({
      description: 'Facts about single models, under `vendor/model`. Each field replaces that of the shipped catalogue.',
    }),
    teams: z.record(name, teamSchema(vendors)).default({}).meta({ description: 'Groups of keys that share a permit and limits.' }),
    keys: z
      .array(keySchema(vendors))
      .default([])
      .meta({ description: 'Keys of the apps. Keys made with `estafet key new` are kept in `database` instead.' }),
    redis: connectionText.optional().meta({
      description:
        'Address of Redis, or a reference to it: `redis://`, `redis+sentinel://` or `redis+cluster://`; `rediss` in place of `redis` for TLS. Processes with the same Redis share their limits. Absent: each process counts alone.',
    }),
    redisTls: redisTlsSchema.optional().meta({
      description:
        'TLS settings for a `rediss` address. File paths start in the folder of the configuration file. Absent: the certificate authorities that Node trusts, and no client certificate.',
    }),
    database: connectionText.optional().meta({
      description:
        'Where the books, and keys and teams made by command, are kept: `sqlite:` and a path, `postgres://…`, `memory:` (lost when the process ends), or a reference to one of these. Absent: `sqlite:./data/estafet.db`.',
    }),
    books: booksSchema.prefault({}).meta({ description: 'The books: what each request used and cost.' }),
  });
}

/** A URL may be written out or referenced; both are treated as secret, since it may hold a password. */
const connectionText = z.union([secretReference, z.string().min(1)]);

/** The file as it was written, after the schema: defaults filled in, secrets still references. */
export type ConfigInput = z.output<ReturnType<typeof configSchema>>;
export type BackendInput = z.output<ReturnType<typeof backendSchema>>;
