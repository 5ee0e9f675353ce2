import type { ChatRequest } from '../../openai/chat/request.ts';
import { carryChoices, carryStop, carryStreamOptions } from '../compatible/carry.ts';
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
  type Rule,
  refuseUnless,
  within,
  withinRange,
} from '../compatible/draft.ts';
import { carryMessages, type UpstreamMessage } from '../compatible/messages.ts';
import { SHARED_RULES } from '../compatible/rules.ts';
import { carryTools, offersTools, wantedCall } from '../compatible/tools.ts';
import type { Receipt } from '../receipt.ts';
import type { Target, UpstreamPlan } from '../translator.ts';
import { carryFormat } from './format.ts';
import { carryPart, PART_KEYS } from './parts.ts';
import { carrySearch } from './search.ts';
import { carryThinking } from './thinking.ts';
import { carryMaxTokens } from './token-limits.ts';

/** DashScope's limits: top_logprobs ≤ 5. */
const RULES: Omit<FieldRules, 'seed' | 'modalities'> = {
  ...SHARED_RULES,
  temperature: withinRange('temperature'),
  top_p: withinRange('topP'),
  presence_penalty: keep,
  frequency_penalty: dropUnless(isZero, 'the backend does not document it'),
  logit_bias: dropUnless(isEmptyObject, 'its token ids are those of another tokenizer'),
  logprobs: elsewhere,
  top_logprobs: elsewhere,
  user: dropQuietly('the backend takes no end-user id'),
  safety_identifier: dropQuietly('the backend takes no end-user id'),
  web_search_options: elsewhere,
};

/** Documented fields of DashScope that clients send through `extra_body`. */
const EXTRAS: ExtraRules = {
  enable_thinking: elsewhere,
  thinking_budget: elsewhere,
  preserve_thinking: elsewhere,
  top_k: keep,
  repetition_penalty: keep,
  enable_search: elsewhere,
  search_options: elsewhere,
  vl_high_resolution_images: keep,
  translation_options: keep,
  ocr_options: keep,
  asr_options: keep,
  enable_code_interpreter: elsewhere,
  clear_thinking: dropUnless(() => false, 'only models of another maker take it here'),
  tool_stream: keep,
};

/** What the two protocols take differently. */
export interface Wire {
  /** Largest `seed`. */
  readonly maxSeed: number;
  /** `stream` and `stream_options` are fields of the body; else a header asks for a stream, and usage always comes. */
  readonly streamFields: boolean;
  /** `modalities` is a field. */
  readonly modalities: boolean;
  /** An answer from the web names its sources. */
  readonly sources: boolean;
}

const COMPATIBLE: Wire = { maxSeed: 2 ** 31 - 1, streamFields: true, modalities: true, sources: false };

export function qwenRequest(request: ChatRequest, target: Target, receipt: Receipt): UpstreamPlan {
  const { draft, messages, stream } = carryRequest(request, target, receipt, COMPATIBLE);
  return { path: '/chat/completions', body: { ...draft.body, messages }, stream, emulation: draft.emulation };
}

/** A request with its messages apart: OpenAI's field names, DashScope's values and limits, whatever the protocol. */
export interface Carried {
  readonly draft: Draft;
  readonly messages: readonly UpstreamMessage[];
  readonly stream: boolean;
}

export function carryRequest(request: ChatRequest, target: Target, receipt: Receipt, wire: Wire): Carried {
  const draft = newDraft(request, target, receipt);
  applyRules(draft, { ...RULES, seed: carrySeed(wire.maxSeed), modalities: carryModalities(wire.modalities) }, EXTRAS);
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
  carryStop(draft);
  carryChoices(draft, thinks || offersTools(draft) ? 1 : Math.min(4, draft.facts.maxChoices ?? 1));
  carryLogprobs(draft);
  carrySearch(draft, wire.sources);
  carryInterpreter(draft, thinks);
  // A model that speaks calls functions only where it is told to write.
  if (wire.modalities && draft.facts.rules.modalities && offersTools(draft)) draft.body['modalities'] = ['text'];
  const stream = carryStream(draft, thinks, wire);
  const messages = carryMessages(draft, {
    part: carryPart,
    keepArray: (parts) => parts.some((part) => 'cache_control' in part),
    plainParts: true,
    partKeys: PART_KEYS,
    reasoning: request['preserve_thinking'] === true ? 'keep' : draft.facts.rules.reasoningHistory,
    names: false,
    joinNeighbours: false,
    userFirst: false,
    userLast: true,
    emptyText: '(empty)',
    dropEmptyUser: true,
    jsonArguments: true,
  });
  return { draft, messages, stream };
}

/** Forced tools, JSON mode and the continuation of a text exclude thinking on DashScope. */
function whyNotThink(draft: Draft): string | null {
  const wanted = wantedCall(draft);
  if (offersTools(draft) && wanted !== 'auto' && wanted !== 'none') return 'the backend refuses a forced tool call while thinking';
  const format = draft.request.response_format?.type;
  if (format === 'json_object' || format === 'json_schema') return 'the backend refuses JSON mode while thinking';
  const { messages } = draft.request;
  const last = messages.at(-1);
  if (last?.role !== 'assistant' || last['partial'] !== true) return null;
  if (draft.facts.rules.thinkingSwitch === 'always') {
    const field = `messages[${messages.length - 1}].partial`;
    draft.receipt.refuse(field, `Unsupported parameter: '${field}' is not supported with this model: it always thinks.`);
  }
  return 'the backend continues a text only without thinking';
}

/** Thinking answers are taken as a stream, whoever asked: the backend cuts other calls after 300 s, and open models refuse them. */
function carryStream(draft: Draft, thinks: boolean, wire: Wire): boolean {
  const { request, receipt, body, facts } = draft;
  const wanted = request.stream === true;
  const only = facts.thinking === 'stream-only' || facts.rules.streamOnly;
  const stream = wanted || only || thinks;
  if (stream && !wanted) {
    const reason = only ? 'the model only streams' : 'thinking answers are taken as a stream: the backend limits or refuses other calls';
    receipt.note('stream', 'emulated', `${reason}; the relay collects it`, { to: 'true' });
  }
  if (wire.streamFields) body['stream'] = stream;
  else if (wanted) receipt.note('stream', 'renamed', 'the backend is asked by a header', { to: 'x-dashscope-sse' });
  else if (request.stream === false && !stream) receipt.note('stream', 'dropped', 'a whole answer is what the backend makes unless asked');
  carryStreamOptions(draft, stream, wire.streamFields);
  return stream;
}

const carryModalities =
  (isField: boolean): Rule<readonly string[]> =>
  (draft, value, field) => {
    if (isField && isTextOnly(value) && draft.facts.rules.modalities) draft.body['modalities'] = ['text'];
    else refuseUnless(isTextOnly, 'the relay carries text answers only')(draft, value, field);
  };

/** The vendor's own tool, which works while the model thinks. */
function carryInterpreter({ request, receipt, body }: Draft, thinks: boolean): void {
  const field = 'enable_code_interpreter';
  const value = request[field];
  if (value === undefined) return;
  if (thinks) body[field] = value;
  else receipt.note(field, 'dropped', 'it works only while the model thinks', { alters: value !== false });
}

const carrySeed =
  (max: number): Rule<number> =>
  (draft, value) => {
    const seed = Math.abs(value) % (max + 1);
    if (seed !== value) draft.receipt.note('seed', 'clamped', `the backend takes 0 to ${max}`, { to: String(seed) });
    draft.body['seed'] = seed;
  };

function carryLogprobs(draft: Draft): void {
  const { logprobs, top_logprobs: top } = draft.request;
  if (logprobs !== true) {
    if (logprobs === false) draft.receipt.note('logprobs', 'dropped', 'false is the default');
    if (top !== undefined) draft.receipt.note('top_logprobs', 'dropped', 'it says nothing without logprobs');
    return;
  }
  if (draft.facts.logprobs !== true) {
    draft.receipt.note('logprobs', 'dropped', 'the model is not known to give any', { alters: true });
    if (top !== undefined) draft.receipt.note('top_logprobs', 'dropped', 'the model is not known to give any', { alters: true });
    return;
  }
  draft.body['logprobs'] = true;
  if (top !== undefined) within(0, 5)(draft, top, 'top_logprobs');
}
