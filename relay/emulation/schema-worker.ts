import { parentPort } from 'node:worker_threads';
import { Ajv } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';

/**
 * Checks JSON texts against callers' schemas, on a thread of its own: compiling a schema runs code whose cost the caller
 * chooses. The thread is ended from outside when it takes too long.
 */
const validators = new Map<string, (value: unknown) => string | null>();
const MAX_CACHED = 200;

export interface CheckRequest {
  readonly id: number;
  /** JSON text of the schema: the key of the cache. */
  readonly schema: string;
  readonly text: string;
}
export interface CheckReply {
  readonly id: number;
  /** What is wrong with the text; null when it is valid. */
  readonly fault: string | null;
  /** The schema itself cannot be used, and `fault` says why. */
  readonly unusable: boolean;
}

/** Says 'compiled' before each check, since compiling and checking have their own time limits. */
parentPort?.on('message', ({ id, schema, text }: CheckRequest) => {
  parentPort?.postMessage({ id, ...check(schema, text) } satisfies CheckReply);
});

function check(schema: string, text: string): Omit<CheckReply, 'id'> {
  let validate = validators.get(schema);
  try {
    if (validate === undefined) {
      validate = compile(JSON.parse(schema) as Record<string, unknown>);
      if (validators.size >= MAX_CACHED) validators.clear();
      validators.set(schema, validate);
    }
  } catch (error) {
    return { fault: error instanceof Error ? error.message : String(error), unusable: true };
  }
  parentPort?.postMessage('compiled');
  try {
    return { fault: validate(JSON.parse(text)), unusable: false };
  } catch (error) {
    // An answer nested so deep that the check runs out of stack.
    return { fault: `it cannot be checked (${error instanceof Error ? error.message : String(error)})`, unusable: false };
  }
}

// `format` is a hint to the model, not a promise: an unknown format must not fail an answer.
const OPTIONS = { strict: false, validateFormats: false, logger: false } as const;
/** Check schemas themselves; making one takes longer than any schema, and they keep nothing of what they check. */
const DRAFTS = [
  { Draft: Ajv, judge: new Ajv(OPTIONS) },
  { Draft: Ajv2020, judge: new Ajv2020(OPTIONS) },
] as const;

function compile(schema: Record<string, unknown>): (value: unknown) => string | null {
  const old = typeof schema['$schema'] === 'string' && /draft-0[4-7]/.test(schema['$schema']);
  const { Draft, judge } = DRAFTS[old ? 0 : 1];
  // `$async` would make the check a promise, which is always true.
  const { $schema: _, $async: __, ...rest } = schema;
  judge.validateSchema(rest, true);
  // One for each schema: two callers may give different schemas the same `$id`.
  const ajv = new Draft({ ...OPTIONS, meta: false, validateSchema: false });
  const validate = ajv.compile(rest);
  return (value) => (validate(value) ? null : ajv.errorsText(validate.errors, { dataVar: 'answer' }));
}

parentPort?.postMessage('ready');
