import type { ChatRequest } from '../../openai/chat/request.ts';
import {
  carryChoices,
  carryStop,
  carryStreamOptions,
  clampTokens,
  emulateJsonObject,
  emulateJsonSchema,
  holdToJson,
  wantedMaxTokens,
} from '../compatible/carry.ts';
import {
  applyRules,
  type Draft,
  dropUnless,
  elsewhere,
  type FieldRules,
  isEmptyObject,
  isFalse,
  isTextOnly,
  isZero,
  newDraft,
  type Rule,
  refuseUnless,
} from '../compatible/draft.ts';
import { boundedId } from '../compatible/end-user.ts';
import { SHARED_RULES } from '../compatible/rules.ts';
import { carryTools } from '../compatible/tools.ts';
import type { Receipt } from '../receipt.ts';
import type { Target, UpstreamPlan } from '../translator.ts';
import { ERNIE_EXTRAS } from './extras.ts';
import { ernieMessages } from './messages.ts';
import { carrySearch } from './search.ts';
import { BUDGET_SHARE, carryThinking, DEFAULT_BUDGET, LEAST_LIMIT, MIN_BUDGET } from './thinking.ts';

const RULES: FieldRules = {
  ...SHARED_RULES,
  temperature: sampling('temperature'),
  top_p: sampling('topP'),
  presence_penalty: sampling(),
  frequency_penalty: sampling(),
  logit_bias: dropUnless(isEmptyObject, 'the backend knows no token biases'),
  logprobs: dropUnless(isFalse, 'the backend tells no probabilities'),
  top_logprobs: dropUnless(isZero, 'the backend tells no probabilities'),
  seed: carrySeed,
  modalities: refuseUnless(isTextOnly, 'the relay carries text answers only'),
  user: carryUser,
  safety_identifier: carryUser,
  web_search_options: elsewhere,
};

/** Qianfan is never sent a field that it does not document. */
export function ernieRequest(request: ChatRequest, target: Target, receipt: Receipt): UpstreamPlan {
  const draft = newDraft(request, target, receipt);
  // Ids of Baidu's own are compared exactly; those of other makers are sent as typed.
  draft.body['model'] = draft.facts.rules.lowerCaseId ? target.model.toLowerCase() : target.model;
  applyRules(draft, RULES, ERNIE_EXTRAS);
  const thinks = carryThinking(draft);
  carryTools(draft, { reservedNames: [], choices: () => 'send', parallelSwitch: true, parallelByDefault: true });
  carryFormat(draft);
  carryMaxTokens(draft, thinks);
  carryStop(draft);
  carryChoices(draft, 1);
  carrySearch(draft);
  const stream = request.stream === true || thinks;
  if (stream && request.stream !== true)
    receipt.note('stream', 'emulated', 'thinking answers take long: they are taken as a stream and collected', { to: 'true' });
  draft.body['stream'] = stream;
  carryStreamOptions(draft, stream, true);
  draft.body['messages'] = ernieMessages(draft);
  return { path: '/chat/completions', body: draft.body, stream, emulation: draft.emulation };
}

/**
 * A number up to the border of the model's family; OpenAI's range of penalties is Qianfan's too. Families whose range begins above 0 exclude
 * nothing but the 0 itself: the range's own beginning is sent for it.
 */
function sampling(range?: 'temperature' | 'topP'): Rule<number> {
  return (draft, value, field) => {
    const { rules } = draft.facts;
    if (rules.fixedSampling) {
      const usual = range === undefined ? 0 : 1;
      draft.receipt.note(field, 'dropped', 'the model samples in its own fixed way', { alters: value !== usual });
      return;
    }
    const { min, max } = range === undefined ? { min: value, max: value } : rules[range];
    const sent = value === 0 ? min : Math.min(max, value);
    if (sent !== value) {
      const above = min > 0 ? 'numbers above 0 and ' : '';
      draft.receipt.note(field, 'clamped', `the backend takes ${above}up to ${max}`, { to: String(sent), alters: true });
    }
    draft.body[field] = sent;
  };
}

const MAX_SEED = 2 ** 31 - 2;

/** Qianfan takes 1 to 2147483646; other seeds are folded into that, each always to the same. */
function carrySeed(draft: Draft, value: number): void {
  if (!draft.facts.rules.seed) {
    draft.receipt.note('seed', 'dropped', 'the model takes no seed', { alters: true });
    return;
  }
  const sent = value >= 1 && value <= MAX_SEED ? value : 1 + (Math.abs(value) % (MAX_SEED - 1));
  if (sent !== value) draft.receipt.note('seed', 'clamped', `the backend takes 1 to ${MAX_SEED}`, { to: String(sent) });
  draft.body['seed'] = sent;
}

/** Qianfan documents no limit on the length of its `user`; 64 characters is OpenAI's own for the identifier. */
function carryUser(draft: Draft, value: string, field: string): void {
  const { user } = draft.request;
  if (field === 'safety_identifier' && user !== undefined && user !== '') {
    draft.receipt.note(field, 'dropped', 'the backend takes one end-user id, and user was sent');
    return;
  }
  if (value === '') {
    draft.receipt.note(field, 'dropped', 'it is empty');
    return;
  }
  const sent = boundedId(value, 1, 64);
  if (field !== 'user') draft.receipt.note(field, 'renamed', 'the backend has one field for it', { to: 'user' });
  if (sent !== value) draft.receipt.note(field, 'clamped', 'ids of more than 64 characters are sent as a digest', { to: sent });
  draft.body['user'] = sent;
}

/** `json_object` where the model has it. Even then prose may follow the JSON (seen in Baidu's own sample): the relay takes it off. */
function carryFormat(draft: Draft): void {
  const format = draft.request.response_format;
  if (format === undefined) return;
  const { jsonObject, jsonSchema } = draft.facts;
  const native = jsonObject === true;
  if (format.type === 'text') {
    draft.receipt.note('response_format', 'dropped', 'text is the default');
  } else if (format.type === 'json_object') {
    if (!native) {
      emulateJsonObject(draft);
      return;
    }
    draft.body['response_format'] = { type: 'json_object' };
    holdToJson(draft, null);
  } else if (jsonSchema === true && format.json_schema.schema !== undefined) {
    draft.body['response_format'] = format;
    holdToJson(draft, format.json_schema.schema);
  } else emulateJsonSchema(draft, native);
}

/**
 * `max_tokens` bounds the answer alone, `max_completion_tokens` thinking and answer together, which is what OpenAI's clients mean by
 * either. A thinking budget as large as the whole bound would leave no answer.
 */
function carryMaxTokens(draft: Draft, thinks: boolean): void {
  const { thinkingBudget, minTokens } = draft.facts.rules;
  const wanted = wantedMaxTokens(draft);
  if (wanted === null) return;
  const { field, value } = wanted;
  const name = thinks ? 'max_completion_tokens' : field;
  // Where thinking cannot be switched off, the limit must at least hold the least of it and some answer.
  const measured = thinks && (thinkingBudget || draft.body['thinking_budget'] !== undefined);
  const least = measured ? LEAST_LIMIT : minTokens;
  const bound = clampTokens(draft, field, value, least, draft.facts.maxOutputTokens);
  draft.body[name] = bound;
  if (name !== field) draft.receipt.note(field, 'renamed', 'only this bounds thinking too', { to: name });
  if (!measured) return;
  const budget = typeof draft.body['thinking_budget'] === 'number' ? draft.body['thinking_budget'] : DEFAULT_BUDGET;
  if (budget < bound) return;
  draft.body['thinking_budget'] = Math.max(MIN_BUDGET, Math.floor(bound * BUDGET_SHARE));
  draft.receipt.note(
    'thinking_budget',
    draft.request['thinking_budget'] === undefined ? 'defaulted' : 'clamped',
    `room is left for the answer within ${field}`,
    {
      to: String(draft.body['thinking_budget']),
    },
  );
}
