import { invalid } from './errors.ts';
import { isObject, type JsonObject } from './json.ts';

/** Fields of the chat reference. */
const KNOWN = new Set([
  ...['model', 'messages', 'stream', 'stream_options', 'temperature', 'top_p', 'top_k', 'presence_penalty', 'repetition_penalty'],
  ...['max_tokens', 'max_completion_tokens', 'n', 'seed', 'stop', 'response_format', 'tools', 'tool_choice', 'parallel_tool_calls'],
  ...['tool_stream', 'logprobs', 'top_logprobs', 'enable_thinking', 'thinking_budget', 'preserve_thinking', 'reasoning_effort'],
  ...['clear_thinking', 'enable_search', 'search_options', 'enable_code_interpreter', 'modalities', 'audio', 'functions', 'function_call'],
  ...['vl_high_resolution_images', 'translation_options', 'ocr_options', 'asr_options'],
]);

/** Other vendors' objects that break the request body's format. */
const FOREIGN = ['thinking', 'reasoning', 'output_config'];

/**
 * Unlisted fields (`user`, `store`, `metadata` …): what the vendor does with them is not documented. Ignored as a rule,
 * refused in the strict profile. @throws Refusal 400
 */
export function checkFields(body: JsonObject, strict: boolean): void {
  if (FOREIGN.some((name) => isObject(body[name]))) throw invalid('Request body format invalid');
  if (!strict) return;
  const unknown = Object.keys(body).find((name) => !KNOWN.has(name));
  if (unknown !== undefined) throw invalid(`Additional properties are not allowed ('${unknown}' was unexpected)`);
}
