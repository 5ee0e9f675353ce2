/**
 * OpenAI's own JSON Schemas as functions: each takes a value of unknown shape and returns the list of problems, empty if it fits.
 * The generated files are the faithful cut; every place where the tests must judge otherwise is in `adjust` below, with its reason.
 * Schemas are compiled at first use and kept. The schemas are open (no `additionalProperties: false` in answers): unknown keys are the
 * business of `completion-rules.ts` and `stream-rules.ts`.
 */
import { readFileSync } from 'node:fs';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';

type Schema = { [key: string]: unknown };
interface Bundle {
  $defs: Record<string, Schema>;
}

const orNull = { type: ['string', 'null'] };

/** The schema found by walking keys and list positions; a path that no longer exists in a newer document throws. */
function at(schema: unknown, ...path: (string | number)[]): Schema {
  return path.reduce<unknown>((node, key) => {
    const next = (node as Record<string | number, unknown>)[key];
    if (typeof next !== 'object' || next === null) throw new Error(`OpenAI's schema has no ${path.join('/')} any more`);
    return next;
  }, schema) as Schema;
}

/** Differences for chat, completions, embeddings, models and errors: copies of definitions under our own names. */
function adjust(defs: Record<string, Schema>): void {
  const copy = (from: string, to: string): Schema => {
    defs[to] = structuredClone(at(defs, from));
    return defs[to];
  };
  const drop = (schema: Schema, key: string): void => {
    schema['required'] = (schema['required'] as string[]).filter((name) => name !== key);
  };

  const completion = copy('CreateChatCompletionResponse', 'EstafetCompletion');
  // The schema says string; servers answer null for gpt-5 and later (about half of the recorded answers).
  at(completion, 'properties')['system_fingerprint'] = orNull;
  // Required by the schema; absent in answers of gpt-5 and later, o-series, audio and search models.
  drop(at(completion, 'properties', 'choices', 'items'), 'logprobs');

  const chunk = copy('CreateChatCompletionStreamResponse', 'EstafetChunk');
  at(chunk, 'properties')['system_fingerprint'] = orNull;

  const embeddings = copy('CreateEmbeddingResponse', 'EstafetEmbeddings');
  // The schema knows float arrays only; with `encoding_format: "base64"` (what the SDKs ask for unasked) it is a string.
  const embedding = copy('Embedding', 'EstafetEmbedding');
  at(embedding, 'properties')['embedding'] = {
    anyOf: [at(embedding, 'properties', 'embedding'), { type: 'string', pattern: '^[A-Za-z0-9+/]+={0,2}$' }],
  };
  at(embeddings, 'properties', 'data')['items'] = { $ref: '#/$defs/EstafetEmbedding' };

  const legacy = copy('CreateCompletionResponse', 'EstafetLegacyCompletion');
  at(legacy, 'properties')['system_fingerprint'] = orNull;
  // One schema serves answers and chunks "of the same shape", but a running chunk has no reason yet.
  const legacyChunk = copy('EstafetLegacyCompletion', 'EstafetLegacyChunk');
  const reason = at(legacyChunk, 'properties', 'choices', 'items', 'properties', 'finish_reason');
  Object.assign(reason, { type: ['string', 'null'], enum: [...(reason['enum'] as string[]), null] });
  at(legacyChunk, 'properties')['usage'] = { anyOf: [{ $ref: '#/$defs/CompletionUsage' }, { type: 'null' }] };

  // Tightened: the schema leaves both objects open, but SDKs, proxies and dashboards read exactly these keys.
  const error = copy('Error', 'EstafetError');
  Object.assign(error, { additionalProperties: false });
  defs['EstafetErrorResponse'] = {
    type: 'object',
    properties: { error: { $ref: '#/$defs/EstafetError' } },
    required: ['error'],
    additionalProperties: false,
  };
  // Tightened: the schema forgets `type: object` here, so a string would pass as a model.
  Object.assign(at(defs, 'Model'), { type: 'object' });
}

/** Differences for the Responses API, made in place because the stream's events refer to `Response` by name. */
function adjustResponses(defs: Record<string, Schema>): void {
  const parts = at(defs, 'Response', 'allOf');
  // `user` is a string for requests and answers alike in the schema; answers say null when the caller gave none.
  defs['EstafetModelResponseProperties'] = structuredClone(at(defs, 'ModelResponseProperties'));
  at(defs, 'EstafetModelResponseProperties', 'properties')['user'] = orNull;
  Object.assign(at(parts, 0), { $ref: '#/$defs/EstafetModelResponseProperties' });
  // An object in the schema; null in the events before the end.
  const own = at(parts, 2, 'properties');
  own['usage'] = { anyOf: [own['usage'], { type: 'null' }] };
}

const FORMATS = {
  unixtime: { type: 'number', validate: (value: number) => value >= 0 && value < 100_000_000_000 }, // above: milliseconds
  int64: { type: 'number', validate: Number.isInteger },
  float: { type: 'number', validate: Number.isFinite },
  date: /^\d{4}-\d{2}-\d{2}$/,
  uri: (value: string) => URL.canParse(value),
} as const;

/** Loads one generated file; the result gives the validator of a definition, compiled once. */
function load(
  file: string,
  change: (defs: Record<string, Schema>) => void,
): { defs: Record<string, Schema>; get(name: string): ValidateFunction } {
  const bundle = JSON.parse(readFileSync(new URL(file, import.meta.url), 'utf8')) as Bundle;
  change(bundle.$defs);
  const ajv = new Ajv2020({ allErrors: true, strict: false, formats: FORMATS });
  ajv.addSchema(bundle, file);
  return {
    defs: bundle.$defs,
    get(name) {
      const validate = ajv.getSchema(`${file}#/$defs/${name}`);
      if (validate === undefined) throw new Error(`${file} has no definition "${name}"`);
      return validate;
    },
  };
}

function lazy<T>(make: () => T): () => T {
  let made: { value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

const chat = lazy(() => load('openai.schema.json', adjust));
const responses = lazy(() => load('openai-responses.schema.json', adjustResponses));

/** `/path message (what was allowed)`, each once: the branches of a union repeat themselves. */
function problems(validate: ValidateFunction, value: unknown): string[] {
  if (validate(value)) return [];
  const lines = (validate.errors ?? []).map(({ instancePath, message, params }) => {
    const detail = params['allowedValues'] ?? params['additionalProperty'];
    return `${instancePath || '/'} ${message}${detail === undefined ? '' : ` (${JSON.stringify(detail)})`}`;
  });
  return [...new Set(lines)];
}

/** `POST /v1/chat/completions`, request body. */
export const validateRequest = (value: unknown): string[] => problems(chat().get('CreateChatCompletionRequest'), value);
/** … its answer. */
export const validateCompletion = (value: unknown): string[] => problems(chat().get('EstafetCompletion'), value);
/** … one chunk of its stream. */
export const validateChunk = (value: unknown): string[] => problems(chat().get('EstafetChunk'), value);
/** `GET /v1/models`. */
export const validateModelList = (value: unknown): string[] => problems(chat().get('ListModelsResponse'), value);
/** `GET /v1/models/{id}`. */
export const validateModel = (value: unknown): string[] => problems(chat().get('Model'), value);
/** Body of every answer that is not 2xx: one key `error`, in it exactly message, type, param, code. */
export const validateError = (value: unknown): string[] => problems(chat().get('EstafetErrorResponse'), value);
/** `POST /v1/embeddings`, request body. */
export const validateEmbeddingsRequest = (value: unknown): string[] => problems(chat().get('CreateEmbeddingRequest'), value);
/** … its answer, float or base64. */
export const validateEmbeddings = (value: unknown): string[] => problems(chat().get('EstafetEmbeddings'), value);
/** `POST /v1/completions`, request body. */
export const validateLegacyRequest = (value: unknown): string[] => problems(chat().get('CreateCompletionRequest'), value);
/** … its answer. */
export const validateLegacyCompletion = (value: unknown): string[] => problems(chat().get('EstafetLegacyCompletion'), value);
/** … one chunk of its stream. */
export const validateLegacyChunk = (value: unknown): string[] => problems(chat().get('EstafetLegacyChunk'), value);
/** `POST /v1/responses`, request body. */
export const validateResponseRequest = (value: unknown): string[] => problems(responses().get('CreateResponse'), value);
/** … its answer. */
export const validateResponse = (value: unknown): string[] => problems(responses().get('Response'), value);

/** One event of a Responses stream, judged by the one branch its `type` names: the union of all 50 would bury the problem. */
export function validateResponseEvent(value: unknown): string[] {
  const type = (value as { type?: unknown } | null | undefined)?.type;
  const name = typeof type === 'string' ? eventNames().get(type) : undefined;
  if (name === undefined) return [`/type ${JSON.stringify(type)} is not an event of the Responses API`];
  return problems(responses().get(name), value);
}

const eventNames = lazy(() => {
  const { defs } = responses();
  const names = new Map<string, string>();
  for (const { $ref } of at(defs, 'ResponseStreamEvent')['anyOf'] as { $ref: string }[]) {
    const name = $ref.slice('#/$defs/'.length);
    for (const type of at(defs, name, 'properties', 'type')['enum'] as string[]) names.set(type, name);
  }
  return names;
});

/** Top-level keys of a chat completions request, over all parts the schema joins with `allOf`, sorted. */
export function requestFields(): string[] {
  const { defs } = chat();
  const fields = new Set<string>();
  const visit = (schema: Schema): void => {
    if (typeof schema['$ref'] === 'string') visit(defs[schema['$ref'].slice('#/$defs/'.length)]!);
    for (const name of Object.keys(schema['properties'] ?? {})) fields.add(name);
    for (const part of (schema['allOf'] ?? []) as Schema[]) visit(part);
  };
  visit(defs['CreateChatCompletionRequest']!);
  return [...fields].sort();
}
