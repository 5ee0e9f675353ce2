import type { ChatRequest } from '../../openai/chat/request.ts';
import {
  carryChoices,
  carryStop,
  carryStreamOptions,
  clampTokens,
  emulateJsonObject,
  emulateJsonSchema,
  holdToJson,
  mentionsJson,
  wantedMaxTokens,
} from '../compatible/carry.ts';
import {
  applyRules,
  type Draft,
  dropUnless,
  type ExtraRules,
  elsewhere,
  type FieldRules,
  isEmptyObject,
  isFalse,
  isTextOnly,
  isZero,
  newDraft,
  refuseUnless,
  withinRange,
} from '../compatible/draft.ts';
import { boundedId } from '../compatible/end-user.ts';
import { carryMessages } from '../compatible/messages.ts';
import { SHARED_RULES } from '../compatible/rules.ts';
import { carryTools } from '../compatible/tools.ts';
import { findTuple } from '../compatible/tuple-schema.ts';
import type { Receipt } from '../receipt.ts';
import type { Target, UpstreamPlan } from '../translator.ts';
import { carryPart, checkImages } from './parts.ts';
import { carrySearch } from './search.ts';
import { carryThinking } from './thinking.ts';

/** The vendor answers some unlisted fields with an opaque 1210, so nothing is sent that its reference does not list. */
const RULES: FieldRules = {
  ...SHARED_RULES,
  temperature: elsewhere,
  top_p: elsewhere,
  presence_penalty: dropUnless(isZero, 'the backend does not document it'),
  frequency_penalty: dropUnless(isZero, 'the backend does not document it'),
  logit_bias: dropUnless(isEmptyObject, 'the backend does not document it'),
  logprobs: refuseUnless(isFalse, 'the backend gives none'),
  top_logprobs: refuseUnless(() => false, 'the backend gives no logprobs'),
  seed: dropUnless(() => false, 'the backend does not document it'),
  modalities: refuseUnless(isTextOnly, 'the relay carries text answers only'),
  user: elsewhere,
  safety_identifier: elsewhere,
  web_search_options: elsewhere,
};

/** Documented fields of GLM that clients send through `extra_body`. */
const EXTRAS: ExtraRules = { thinking: elsewhere, clear_thinking: elsewhere, do_sample: elsewhere, tool_stream: elsewhere };

const MAX_FUNCTIONS = 128;

/** Without it refusals come in Chinese, and callers read what was wrong. It does not touch the language of answers. */
const HEADERS = { 'accept-language': 'en-US,en' };

export function glmRequest(request: ChatRequest, target: Target, receipt: Receipt): UpstreamPlan {
  const draft = newDraft(request, target, receipt);
  applyRules(draft, RULES, EXTRAS);
  const stream = request.stream === true;
  draft.body['stream'] = stream;
  carryStreamOptions(draft, stream, false);
  carryThinking(draft);
  carrySampling(draft);
  carryMaxTokens(draft);
  carryTools(draft, {
    reservedNames: [],
    // Only the word "auto" is documented, and glm-5.3 refuses all others.
    choices: (wanted) => (wanted === 'auto' ? 'send' : 'emulate'),
    parallelSwitch: false,
    parallelByDefault: true,
  });
  checkFunctions(draft);
  carryToolStream(draft, stream);
  carrySearch(draft);
  carryFormat(draft);
  carryStop(draft);
  carryChoices(draft, 1);
  carryEndUser(draft);
  // Not in the receipt: it names the call and does nothing to the answer.
  draft.body['request_id'] = boundedId(target.requestId, 6, 64);
  const messages = carryMessages(draft, {
    part: carryPart,
    reasoning: draft.facts.rules.reasoningHistory,
    names: false,
    joinNeighbours: false,
    userFirst: true,
    userLast: false,
    emptyText: ' ',
    plainParts: true,
    partial: false,
    // The vendor reads the arguments of earlier calls.
    jsonArguments: true,
  });
  checkImages(draft, messages);
  draft.body['messages'] = messages;
  return { path: '/chat/completions', body: draft.body, headers: HEADERS, stream, emulation: draft.emulation };
}

/** Temperature [0, 1] and top_p [0.01, 1], or both (0, 1) on older models; at most two decimals. Greedy has its own switch. */
function carrySampling(draft: Draft): void {
  const { request, receipt, body } = draft;
  const { temperature, top_p: topP, do_sample: own } = request;
  if (own !== undefined) {
    if (typeof own !== 'boolean') receipt.refuse('do_sample', "Invalid value for 'do_sample': expected a boolean.", 'unsupported_value');
    body['do_sample'] = own;
  }
  if (temperature === 0 && own !== true) {
    body['do_sample'] = false;
    receipt.note('temperature', 'renamed', 'the backend has a switch for the likeliest answer', { to: 'do_sample=false' });
  } else if (temperature !== undefined) withinRange('temperature', 2)(draft, temperature, 'temperature');
  if (topP !== undefined) withinRange('topP', 2)(draft, topP, 'top_p');
}

/** One bound for thinking and answer together, as `max_completion_tokens` means it. None is sent where the caller sets none. */
function carryMaxTokens(draft: Draft): void {
  const wanted = wantedMaxTokens(draft);
  if (wanted === null) return;
  draft.body['max_tokens'] = clampTokens(draft, wanted.field, wanted.value, 1, draft.facts.maxOutputTokens);
  if (wanted.field !== 'max_tokens') draft.receipt.note(wanted.field, 'renamed', 'the backend means the same by it', { to: 'max_tokens' });
}

/** More functions than the vendor takes, and schemas that it answers with an opaque 1210. Only functions that are sent count. */
function checkFunctions(draft: Draft): void {
  const sent = draft.body['tools'] as { function: { name: string } }[] | undefined;
  if (sent === undefined) return;
  const { request, receipt } = draft;
  const field = request.functions !== undefined ? 'functions' : 'tools';
  if (sent.length > MAX_FUNCTIONS) {
    receipt.refuse(
      field,
      `Invalid '${field}': the backend takes at most ${MAX_FUNCTIONS} functions, got ${sent.length}.`,
      'unsupported_value',
    );
  }
  const names = new Set(sent.map((tool) => tool.function.name));
  const specs = request.functions ?? (request.tools ?? []).map((tool) => (tool.type === 'function' ? tool.function : null));
  for (const [index, spec] of specs.entries()) {
    const tuple = spec !== null && names.has(spec.name) ? findTuple(spec.parameters) : null;
    if (spec === null || tuple === null) continue;
    receipt.refuse(
      `${field}[${index}]${field === 'tools' ? '.function' : ''}.parameters`,
      `Invalid schema for function '${spec.name}': the backend takes no tuple schemas, and '${tuple}' is one. Describe the items by one schema.`,
      'unsupported_value',
    );
  }
}

/** Without it a call's arguments come in one piece after a long silence. */
function carryToolStream(draft: Draft, stream: boolean): void {
  const { request, receipt, body } = draft;
  const own = request['tool_stream'];
  const useful = stream && body['tools'] !== undefined && draft.facts.rules.toolStream;
  if (own === undefined) {
    if (!useful) return;
    body['tool_stream'] = true;
    receipt.note('tool_stream', 'defaulted', 'the arguments of calls are streamed too', { to: 'true' });
    return;
  }
  if (typeof own !== 'boolean') receipt.refuse('tool_stream', "Invalid value for 'tool_stream': expected a boolean.", 'unsupported_value');
  if (useful) body['tool_stream'] = own;
  else receipt.note('tool_stream', 'dropped', 'it does nothing without a stream, tools and a model that knows it');
}

/** JSON mode is documented for text models only; a JSON schema for none. */
function carryFormat(draft: Draft): void {
  const type = draft.request.response_format?.type;
  if (type === undefined) return;
  const native = draft.facts.jsonObject !== false && draft.facts.vision !== true;
  if (type === 'text') draft.receipt.note('response_format', 'dropped', 'text is the default');
  else if (type === 'json_schema') {
    emulateJsonSchema(draft, native);
    if (native && !mentionsJson(draft)) draft.instructions.push('Answer in JSON.');
  } else if (native) {
    draft.body['response_format'] = { type: 'json_object' };
    // Fences around the JSON are seen in this mode too.
    holdToJson(draft, null);
  } else emulateJsonObject(draft);
}

/** `safety_identifier`, or the older `user`, as the vendor's `user_id` of 6 to 128 characters. */
function carryEndUser(draft: Draft): void {
  const { request, receipt } = draft;
  const field = request.safety_identifier === undefined ? 'user' : 'safety_identifier';
  const id = request[field];
  if (field === 'safety_identifier' && request.user !== undefined)
    receipt.note('user', 'dropped', 'safety_identifier was sent too and takes its place');
  if (id === undefined) return;
  if (id === '') {
    receipt.note(field, 'dropped', 'an empty id names nobody');
    return;
  }
  const sent = boundedId(id, 6, 128);
  draft.body['user_id'] = sent;
  receipt.note(field, 'renamed', sent === id ? 'the backend calls it user_id' : 'the backend takes 6 to 128 characters: a digest is sent', {
    to: 'user_id',
  });
}
