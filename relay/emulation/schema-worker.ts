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
}

parentPort?.on('message', ({ id, schema, text }: CheckRequest) => {
  parentPort?.postMessage({ id, fault: check(schema, text) } satisfies CheckReply);
});

parentPort?.postMessage('ready');

function check(schema: string, text: string): string | null {
  try {
    let validate = validators.get(schema);
    if (validate === undefined) {
      validate = compile(JSON.parse(schema) as Record<string, unknown>);
      if (validators.size >= MAX_CACHED) validators.clear();
      validators.set(schema, validate);
    }
    return validate(JSON.parse(text));
  } catch (error) {
    return `the schema cannot be used (${error instanceof Error ? error.message : String(error)})`;
  }
}

function compile(schema: Record<string, unknown>): (value: unknown) => string | null {
  const draft = typeof schema['$schema'] === 'string' && /draft-0[4-7]/.test(schema['$schema']) ? Ajv : Ajv2020;
  // `$async` would make the check a promise, which is always true.
  const { $schema: _, $async: __, ...rest } = schema;
  // `format` is a hint to the model, not a promise: an unknown format must not fail an answer.
  const ajv = new draft({ strict: false, validateFormats: false, logger: false });
  const validate = ajv.compile(rest);
  return (value) => (validate(value) ? null : ajv.errorsText(validate.errors, { dataVar: 'answer' }));
}
