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
  web_search: elsewhere,
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
