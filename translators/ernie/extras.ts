import { type Draft, type ExtraRules, elsewhere, type Rule } from '../compatible/draft.ts';
import { MIN_BUDGET } from './thinking.ts';

/** Documented fields of Qianfan's own, which clients send through `extra_body`. A value it would refuse is refused here, by name. */
export const ERNIE_EXTRAS: ExtraRules = {
  enable_thinking: elsewhere,
  thinking: elsewhere,
  thinking_budget: carryOwnBudget,
  thinking_strategy: carryStrategy,
  penalty_score: number(1, 2),
  repetition_penalty: number(0.01, 2),
  web_search: carrySearch,
};

function number(min: number, max: number): Rule {
  return (draft, value, field) => {
    if (typeof value !== 'number' || value < min || value > max)
      draft.receipt.refuse(field, `Invalid '${field}': expected a number from ${min} to ${max}.`, 'unsupported_value');
    if (field === 'penalty_score' && !draft.facts.rules.penaltyScore)
      draft.receipt.note(field, 'dropped', 'the model does not take it', { alters: value !== 1 });
    else draft.body[field] = value;
  };
}

function carryOwnBudget(draft: Draft, value: unknown, field: string): void {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < MIN_BUDGET)
    draft.receipt.refuse(field, `Invalid '${field}': expected an integer of at least ${MIN_BUDGET}.`, 'unsupported_value');
  const { thinkingBudget, thinkingSwitch } = draft.facts.rules;
  if (thinkingBudget || thinkingSwitch === 'unclear') draft.body[field] = value;
  else draft.receipt.note(field, 'dropped', 'the model takes no budget', { alters: thinkingSwitch !== 'none' });
}

function carryStrategy(draft: Draft, value: unknown, field: string): void {
  if (value !== 'short_think' && value !== 'chain_of_draft')
    draft.receipt.refuse(field, `Invalid '${field}': expected 'short_think' or 'chain_of_draft'.`, 'unsupported_value');
  if (draft.facts.rules.thinkingSwitch !== 'none') draft.body[field] = value;
  else draft.receipt.note(field, 'dropped', 'the model does not think');
}

/** Sub-fields of `web_search`. `enable_status` is left out: it puts frames into the stream that are no part of the answer. */
const COUNTS = ['search_number', 'reference_number'];
const SEARCH = ['enable', 'enable_citation', 'enable_trace', 'search_mode', 'search_number', 'reference_number'];

function carrySearch(draft: Draft, value: unknown, field: string): void {
  if (value === null || typeof value !== 'object' || Array.isArray(value))
    draft.receipt.refuse(field, `Invalid '${field}': expected an object.`, 'unsupported_value');
  const sent: Record<string, unknown> = {};
  for (const [key, entry] of Object.entries(value as Record<string, unknown>)) {
    if (COUNTS.includes(key) && !(Number.isInteger(entry) && (entry as number) >= 1 && (entry as number) <= 28))
      draft.receipt.refuse(`${field}.${key}`, `Invalid '${field}.${key}': expected an integer from 1 to 28.`, 'unsupported_value');
    if (SEARCH.includes(key)) sent[key] = entry;
    else draft.receipt.note(`${field}.${key}`, 'dropped', 'the relay does not carry it');
  }
  draft.body[field] = sent;
}
