import type { ChatRequest, ContentPart } from '../../openai/chat/request.ts';
import {
  carryChoices,
  carryStop,
  clampTokens,
  emulateJsonObject,
  emulateJsonSchema,
  mentionsJson,
  wantedMaxTokens,
} from '../compatible/carry.ts';
import {
  applyRules,
  type Draft,
  dropQuietly,
  dropUnless,
  type ExtraRules,
  elsewhere,
  type FieldRules,
  isEmptyObject,
  isTextOnly,
  isZero,
  keep,
  newDraft,
  refuseUnless,
  within,
} from '../compatible/draft.ts';
import { carryMessages } from '../compatible/messages.ts';
import { carryTools, offersTools, wantedCall } from '../compatible/tools.ts';
import type { Receipt } from '../receipt.ts';
import type { Target, UpstreamPlan } from '../translator.ts';
import { familyOf } from './models.ts';
import { carryThinking } from './thinking.ts';

/** DashScope's limits: temperature [0, 2), top_p (0, 1], top_logprobs ≤ 5, seed [0, 2^31). */
const RULES: FieldRules = {
  model: elsewhere,
  messages: elsewhere,
  stream: elsewhere,
  stream_options: elsewhere,
  max_completion_tokens: elsewhere,
  max_tokens: elsewhere,
  temperature: within(0, 1.99),
  top_p: within(0.001, 1),
  presence_penalty: keep,
  frequency_penalty: dropUnless(isZero, 'the backend does not document it'),
  logit_bias: refuseUnless(isEmptyObject, 'its token ids are those of another tokenizer'),
  logprobs: elsewhere,
  top_logprobs: elsewhere,
  n: elsewhere,
  stop: elsewhere,
  seed: carrySeed,
  response_format: elsewhere,
  tools: elsewhere,
  tool_choice: elsewhere,
  parallel_tool_calls: elsewhere,
  reasoning_effort: elsewhere,
  verbosity: dropUnless((value) => value === 'medium', 'the backend has no such switch'),
  modalities: refuseUnless(isTextOnly, 'the relay carries text answers only'),
  audio: refuseUnless(() => false, 'the relay carries text answers only'),
  prediction: dropQuietly('it only makes answers faster'),
  web_search_options: dropUnless(() => false, 'web search costs extra and is not switched on'),
  service_tier: dropQuietly('the backend has one tier'),
  store: dropQuietly('the relay stores no answers'),
  metadata: dropQuietly('it is the caller’s own note'),
  user: dropQuietly('the backend takes no end-user id'),
  safety_identifier: dropQuietly('the backend takes no end-user id'),
  prompt_cache_key: dropQuietly('the backend caches prompts by itself'),
  prompt_cache_options: dropQuietly('the backend caches prompts by itself'),
  prompt_cache_retention: dropQuietly('the backend caches prompts by itself'),
  moderation: dropUnless(() => false, 'the backend moderates by its own rules'),
  functions: elsewhere,
  function_call: elsewhere,
};

/** Documented fields of DashScope that clients send through `extra_body`. */
const EXTRAS: ExtraRules = {
  enable_thinking: elsewhere,
  thinking_budget: keep,
  preserve_thinking: keep,
  top_k: keep,
  repetition_penalty: keep,
  enable_search: keep,
  search_options: keep,
  vl_high_resolution_images: keep,
  translation_options: keep,
  tool_stream: keep,
};

export function qwenRequest(request: ChatRequest, target: Target, receipt: Receipt): UpstreamPlan {
  const draft = newDraft(request, target, receipt);
  applyRules(draft, RULES, EXTRAS);
  const family = familyOf(target.model);
  const thinks = carryThinking(draft, whyNotThink(draft));
  carryTools(draft, {
    reservedNames: ['search'],
    // In thinking mode the backend refuses every forced form; only models that always think are still in it here.
    choices: (wanted) => (thinks && wanted !== 'auto' && wanted !== 'none' ? 'emulate' : 'send'),
    parallelSwitch: true,
    parallelByDefault: false,
  });
  carryFormat(draft, thinks);
  carryMaxTokens(draft, thinks);
  carryStop(draft, { words: 4, chars: Number.POSITIVE_INFINITY });
  carryChoices(draft, thinks || offersTools(draft) ? 1 : Math.min(4, draft.facts.maxChoices ?? 1));
  carryLogprobs(draft);
  const stream = request.stream === true || family.streamOnly === 'always' || thinks;
  if (stream && request.stream !== true) {
    receipt.note('stream', 'emulated', 'thinking answers are taken as a stream and collected: the backend limits or refuses other calls', {
      to: 'true',
    });
  }
  draft.body['stream'] = stream;
  if (stream) draft.body['stream_options'] = { include_usage: true };
  draft.body['messages'] = carryMessages(draft, {
    part: carryPart,
    keepArray: (parts) => parts.some((part) => 'cache_control' in part),
    reasoning: request['preserve_thinking'] === true ? 'keep' : 'tool-loop',
    names: false,
    joinNeighbours: false,
    userFirst: false,
    userLast: true,
    emptyText: '(empty)',
  });
  return { path: '/chat/completions', body: draft.body, stream, emulation: draft.emulation };
}

/** Forced tools and JSON mode exclude thinking on DashScope. */
function whyNotThink(draft: Draft): string | null {
  const wanted = wantedCall(draft);
  if (offersTools(draft) && wanted !== 'auto' && wanted !== 'none') return 'the backend refuses a forced tool call while thinking';
  const format = draft.request.response_format?.type;
  if (format === 'json_object' || format === 'json_schema') return 'the backend refuses JSON mode while thinking';
  return null;
}

function carryFormat(draft: Draft, thinks: boolean): void {
  const format = draft.request.response_format;
  if (format === undefined) return;
  if (format.type === 'text') {
    draft.receipt.note('response_format', 'dropped', 'text is the default');
    return;
  }
  if (format.type === 'json_object') {
    if (thinks || draft.facts.jsonObject === false) emulateJsonObject(draft);
    else draft.body['response_format'] = { type: 'json_object' };
    return;
  }
  const native = draft.facts.jsonSchema === true || (draft.facts.jsonSchema === 'non-thinking' && !thinks);
  const schema = format.json_schema.schema;
  if (native && !thinks && schema !== undefined && !JSON.stringify(schema).includes('"uniqueItems"')) {
    draft.body['response_format'] = format;
    return;
  }
  emulateJsonSchema(draft, !thinks && draft.facts.jsonObject !== false);
  if (draft.body['response_format'] !== undefined && !mentionsJson(draft)) draft.instructions.push('Answer in JSON.');
}

/** `max_tokens` bounds the answer alone, `max_completion_tokens` (newer families) thinking and answer together. */
function carryMaxTokens(draft: Draft, thinks: boolean): void {
  const wanted = wantedMaxTokens(draft);
  if (wanted === null) return;
  const { field, value } = wanted;
  const max = draft.facts.maxOutputTokens;
  if (!thinks) {
    draft.body['max_tokens'] = clampTokens(draft, field, value, 1, max);
    if (field !== 'max_tokens') draft.receipt.note(field, 'renamed', 'without thinking both bound the same', { to: 'max_tokens' });
    return;
  }
  if (familyOf(draft.target.model).totalTokens === true) {
    draft.body['max_completion_tokens'] = clampTokens(draft, field, value, 1, null);
    if (field !== 'max_completion_tokens')
      draft.receipt.note(field, 'renamed', 'only this bounds thinking too', { to: 'max_completion_tokens' });
    return;
  }
  // No single bound: three quarters for thinking, the rest for the answer.
  const thinking = Math.max(1, Math.floor(value * 0.75));
  draft.body['max_tokens'] = clampTokens(draft, field, Math.max(1, value - thinking), 1, max);
  const asked = draft.body['thinking_budget'];
  draft.body['thinking_budget'] = typeof asked === 'number' ? Math.min(asked, thinking) : thinking;
  draft.receipt.note(field, 'emulated', 'the backend bounds thinking and answer apart', {
    to: `thinking_budget=${String(draft.body['thinking_budget'])}, max_tokens=${String(draft.body['max_tokens'])}`,
    alters: true,
  });
}

function carrySeed(draft: Draft, value: number): void {
  const seed = Math.abs(value) % 2 ** 31;
  if (seed !== value) draft.receipt.note('seed', 'clamped', 'the backend takes 0 to 2147483647', { to: String(seed) });
  draft.body['seed'] = seed;
}

function carryLogprobs(draft: Draft): void {
  const { logprobs, top_logprobs: top } = draft.request;
  if (logprobs !== true) {
    if (logprobs === false) draft.receipt.note('logprobs', 'dropped', 'false is the default');
    return;
  }
  if (draft.facts.logprobs !== true) {
    draft.receipt.refuse(
      'logprobs',
      `Unsupported parameter: 'logprobs' is not supported with this model: the backend's '${draft.target.model}' gives none.`,
    );
  }
  draft.body['logprobs'] = true;
  if (top !== undefined) within(0, 5)(draft, top, 'top_logprobs');
}

function carryPart(draft: Draft, part: ContentPart, path: string): Record<string, unknown> | null {
  if (part.type === 'image_url' && draft.facts.vision !== false) {
    if (part.image_url.detail === 'high') draft.body['vl_high_resolution_images'] ??= true;
    if (part.image_url.detail !== undefined && part.image_url.detail !== 'auto') {
      draft.receipt.note(
        `${path}.image_url.detail`,
        part.image_url.detail === 'high' ? 'renamed' : 'dropped',
        'the backend has a switch for all images at once',
      );
    }
    return { type: 'image_url', image_url: { url: part.image_url.url } };
  }
  if (part.type === 'input_audio' && draft.facts.audioInput === true) {
    const { data, format } = part.input_audio;
    draft.receipt.note(`${path}.input_audio.data`, 'renamed', 'the backend takes a data URL');
    return { type: 'input_audio', input_audio: { data: `data:audio/${format};base64,${data}`, format } };
  }
  return null;
}
