import type { ComposeTask } from '../kernel/types.ts';
import { invalid, invalidInside } from './errors.ts';
import { given, isObject, type JsonObject } from './json.ts';
import type { ChatModel } from './models.ts';

/** `response_format` (Qwen: structured output). @throws Refusal 400 */
export function readResponseFormat(body: JsonObject, model: ChatModel, thinking: boolean, texts: readonly string[]): ComposeTask['json'] {
  const format = given(body, 'response_format');
  if (format === undefined || (isObject(format) && format['type'] === 'text')) return null;
  const type = isObject(format) ? format['type'] : undefined;
  if (!isObject(format) || (type !== 'json_object' && type !== 'json_schema')) {
    throw invalid(
      "Unknown format of response_format, response_format should be a dict, includes 'type' and an optional key 'json_schema'.",
    );
  }
  if (model.json === 'none' || (type === 'json_schema' && model.json !== 'schema')) {
    throw invalidInside(`'response_format.type' ${type} is not supported by the model ${model.id}`);
  }
  if (type === 'json_schema') return { kind: 'schema', schema: readSchema(format['json_schema']) };
  if (!texts.some((text) => /json/i.test(text))) {
    throw invalidInside("'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.");
  }
  if (thinking) throw invalidInside('Json mode response is not supported when enable_thinking is true');
  return { kind: 'object' };
}

function readSchema(value: unknown): JsonObject {
  const name = isObject(value) ? value['name'] : undefined;
  if (!isObject(value) || typeof name !== 'string' || !/^[A-Za-z0-9_-]{1,64}$/.test(name) || !isObject(value['schema'])) {
    throw invalid("Format error: 'response_format.json_schema' needs a name of at most 64 letters, digits, _ or - and a schema");
  }
  if (/"uniqueItems":/.test(JSON.stringify(value['schema'])))
    throw invalid("Format error: 'response_format.json_schema.schema' rejects uniqueItems");
  return value['schema'];
}
