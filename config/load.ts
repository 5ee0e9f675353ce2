import { readFileSync } from 'node:fs';
import type { z } from 'zod';
import { checkKeys, checkTeams } from './check-access.ts';
import { checkBackends } from './check-backends.ts';
import { checkCatalog } from './check-catalog.ts';
import type { CheckContext } from './check-context.ts';
import { warnDeadlines } from './check-deadlines.ts';
import { checkModels } from './check-models.ts';
import { checkRedis, checkRedisTls } from './check-redis.ts';
import { checkServer } from './check-server.ts';
import { workersFault } from './check-workers.ts';
import type { Config } from './config.ts';
import { databaseAddress } from './database-address.ts';
import { readDocument } from './document.ts';
import { globMatches } from './glob.ts';
import { reportIssues, valueAt } from './issues.ts';
import { warnNotEnforced } from './not-yet-enforced.ts';
import { type Problem, Problems } from './problem.ts';
import { type ConfigInput, configSchema } from './schema.ts';
import { readFault, resolveReference, SECRET_REFERENCE, Secret, type SecretSource } from './secret.ts';
import { knownRegions, type Vendors } from './vendors.ts';

/**
 * Text of a configuration file → checked, frozen `Config`, or everything that is wrong with it at once.
 * Never throws for any text. Reads nothing but the secret files it refers to, through `readFile`.
 */
export function parseConfig(text: string, options: ParseOptions): ConfigResult {
  const { file, vendors } = options;
  const read = readDocument(text, file);
  if (!read.ok) return read;
  const written = read.value;
  const problems = new Problems(file, read.locate);
  const warnings = new Problems(file, read.locate);

  const schema = configSchema(vendors);
  const parsed = schema.safeParse(written);
  if (!parsed.success) reportIssues(parsed.error.issues, schema, written, problems);
  // Entries the schema refused are left out, so that the rest is still checked and all problems come at once.
  const sound = parsed.success ? { value: written, keyIndexes: undefined } : withoutFaulty(written, parsed.error.issues);
  const input = parsed.success ? parsed : schema.safeParse(sound.value);
  if (!input.success) return { ok: false, problems: problems.sorted() };

  const context: CheckContext = {
    vendors,
    secrets: options,
    problems,
    warnings,
    backendNames: namesIn(written['backends']),
    teamNames: namesIn(written['teams']),
    regions: [...new Set([...knownRegions(vendors), ...namesIn(written['backends']).flatMap((name) => regionIn(written, name))])],
    hasCountries: input.data.server.countries !== undefined,
    retentionDays: input.data.books.retentionDays,
    isModel: (name) => isModel(name, input.data, options),
    isChat: (backend, model) => {
      const vendor = input.data.backends[backend]?.vendor;
      return vendor === undefined || (options.chats?.(vendor, model) ?? true);
    },
    isWritten: (path) => valueAt(written, path) !== undefined,
  };
  const config = build(input.data, sound.keyIndexes, context);
  if (context.backendNames.length === 0 && !problems.list.some(({ path }) => path === 'backends')) {
    problems.add(['backends'], 'at least one backend is required', { at: 'key' });
  }
  if (problems.list.length > 0) return { ok: false, problems: problems.sorted() };
  warnNotEnforced(written, warnings);
  return { ok: true, config: deepFreeze(config), warnings: warnings.sorted() };
}

export interface ParseOptions extends SecretSource {
  readonly vendors: Vendors;
  /** Has the vendor a chat model of this name? Absent: taken for granted. */
  readonly serves?: Serves;
  /** Is this model of the vendor for chat? Absent: taken for granted. */
  readonly chats?: Serves;
}

export type Serves = (vendor: string, model: string) => boolean;

export type ConfigResult =
  | { readonly ok: true; readonly config: Config; readonly warnings: readonly Problem[] }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** Reads and parses a file. A file that cannot be read is a problem like any other. `readFile` defaults to the disk. */
export function loadConfigFile(path: string, options: LoadOptions): ConfigResult {
  const { readFile = readFileSync, ...rest } = options;
  const refuse = (message: string): ConfigResult => ({ ok: false, problems: [{ file: path, path: '', line: 0, column: 0, message }] });
  let bytes: Uint8Array;
  try {
    bytes = readFile(path);
  } catch (error) {
    return refuse(`cannot be read: ${readFault(error)}`);
  }
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return refuse('is not UTF-8 text');
  }
  return parseConfig(text, { ...rest, file: path, readFile });
}

export interface LoadOptions {
  /** `process.env`, or what stands for it in a test. */
  readonly env: SecretSource['env'];
  readonly vendors: Vendors;
  readonly serves?: Serves;
  readonly chats?: Serves;
  readonly readFile?: SecretSource['readFile'];
}

function build(input: ConfigInput, keyIndexes: readonly number[] | undefined, context: CheckContext): Config {
  const server = checkServer(input.server, context);
  const backends = checkBackends(input.backends, context);
  const models = checkModels(input.models, context);
  warnDeadlines(server, backends, models, context);
  const catalog = checkCatalog(input.catalog, context);
  const teams = checkTeams(input.teams, backends, context);
  const keys = checkKeys(input.keys, keyIndexes ?? [...input.keys.keys()], teams, context);
  if (input.keys.length === 0)
    context.warnings.add(['keys'], 'there are no keys: every request is refused, unless keys are made with `estafet key new`', {
      at: 'key',
    });
  const redis = connection('redis', input.redis, context);
  if (input.redis === undefined) warnNoStoreToLose(teams, context);
  const address = redis === null ? null : checkRedis(redis, context);
  const redisTls = input.redisTls === undefined ? undefined : checkRedisTls(input.redisTls, input.redis, address, context);
  const database = connection('database', input.database, context);
  checkDatabase(database, context);
  checkWorkers(server.workers, input, database, context);
  return {
    file: context.secrets.file,
    server,
    backends,
    models,
    catalog,
    teams,
    keys,
    ...(redis === null ? {} : { redis }),
    ...(redisTls === undefined ? {} : { redisTls }),
    ...(database === null ? {} : { database }),
    books: input.books,
  };
}

/** By alias, `backend/model`, or the vendors' own names: as routing finds it. */
function isModel(name: string, { models, backends, catalog }: ConfigInput, { serves = () => true }: ParseOptions): boolean {
  if (Object.keys(models).some((alias) => globMatches(alias, name))) return true;
  const slash = name.indexOf('/');
  if (slash > 0 && Object.hasOwn(backends, name.slice(0, slash))) return slash + 1 < name.length;
  return Object.values(backends).some(({ vendor }) => Object.hasOwn(catalog, `${vendor}/${name}`) || serves(vendor, name));
}

function warnNoStoreToLose(teams: Config['teams'], { warnings }: CheckContext): void {
  for (const { name, onStoreLoss } of Object.values(teams)) {
    if (onStoreLoss === 'refuse') continue;
    warnings.add(['teams', name, 'onStoreLoss'], 'has no effect without redis: limits are kept in the process', {
      at: 'key',
    });
  }
}

/** Null when the key is absent, or its reference leads nowhere: that is a problem already told. */
function connection(name: 'redis' | 'database', text: string | undefined, context: CheckContext): Secret | null {
  if (text === undefined) return null;
  if (!SECRET_REFERENCE.test(text)) return new Secret(text);
  const resolved = resolveReference(text, context.secrets);
  if (resolved.ok) return new Secret(resolved.value);
  context.problems.add([name], resolved.fault);
  return null;
}

function checkDatabase(database: Secret | null, context: CheckContext): void {
  const address = databaseAddress(database?.reveal());
  if ('fault' in address) context.problems.add(['database'], address.fault);
}

function checkWorkers(
  workers: Config['server']['workers'],
  { redis }: ConfigInput,
  database: Secret | null,
  { problems }: CheckContext,
): void {
  if (workers === 'auto' || workers === 1) return;
  // A reference to Redis that leads nowhere is a problem of its own.
  const fault = workersFault({ ...(redis === undefined ? {} : { redis: new Secret(redis) }), ...(database === null ? {} : { database }) });
  if (fault !== null) problems.add(['server', 'workers'], `cannot be ${workers}: ${fault}`);
}

/** The file without the entries, or whole sections, in which the schema found something. */
function withoutFaulty(written: Readonly<Record<string, unknown>>, issues: readonly z.core.$ZodIssue[]) {
  const value: Record<string, unknown> = { ...written };
  const faultyKeys = new Set<number>();
  for (const issue of issues) {
    const [section, entry] = issue.path;
    if (section === undefined) {
      if (issue.code === 'unrecognized_keys') for (const key of issue.keys) delete value[key];
    } else if (section === 'keys' && typeof entry === 'number') faultyKeys.add(entry);
    else if (typeof entry === 'string' && section !== 'server' && section !== 'books') {
      const entries = Object.entries(value[String(section)] ?? {});
      value[String(section)] = Object.fromEntries(entries.filter(([name]) => name !== entry));
    } else delete value[String(section)];
  }
  const keys = Array.isArray(value['keys']) ? value['keys'] : [];
  const keyIndexes = [...keys.keys()].filter((index) => !faultyKeys.has(index));
  if (Array.isArray(value['keys'])) value['keys'] = keyIndexes.map((index) => keys[index]);
  return { value, keyIndexes };
}

function namesIn(section: unknown): string[] {
  return typeof section === 'object' && section !== null && !Array.isArray(section) ? Object.keys(section) : [];
}

function regionIn(written: unknown, backend: string): string[] {
  const region = valueAt(written, ['backends', backend, 'region']);
  return typeof region === 'string' ? [region] : [];
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const inner of Object.values(value)) deepFreeze(inner);
  }
  return value;
}
