import type { Effort } from '../../openai/chat/request.ts';
import type { Draft } from '../compatible/draft.ts';
import { familyOf } from './models.ts';

/** Tokens of thinking for each effort on models with a budget; null = the model's own maximum. */
const BUDGETS: Readonly<Record<Exclude<Effort, 'none'>, number | null>> = {
  minimal: 512,
  low: 2048,
  medium: 8192,
  high: 32_768,
  xhigh: null,
  max: null,
};

/** Qwen3.8 knows low, medium and xhigh; its documented aliases say the rest. */
const QWEN38 = { minimal: 'low', low: 'low', medium: 'medium', high: 'xhigh', xhigh: 'xhigh', max: 'xhigh' } as const;
const HOSTED = { minimal: 'high', low: 'high', medium: 'high', high: 'high', xhigh: 'max', max: 'max' } as const;

/**
 * Switches thinking on or off, always explicitly where there is a switch: the default changed from off to on between families,
 * and an app that moves between models must not notice by its bill.
 *
 * @param mustNotThink why thinking has to be off (forced tools, JSON mode), or null
 * @returns whether the model will think
 */
export function carryThinking(draft: Draft, mustNotThink: string | null): boolean {
  const { request, target, receipt, body } = draft;
  const family = familyOf(target.model);
  const asked = request.reasoning_effort;
  const effort = asked ?? target.thinking;
  // The vendor's own switches, sent by a client that knows it talks to Qwen, win over the relay's reading.
  const own = request['enable_thinking'];
  if (family.thinking === 'none') {
    if (asked !== undefined)
      receipt.note('reasoning_effort', 'dropped', 'the model does not think', { alters: asked !== 'none' && asked !== 'minimal' });
    return false;
  }
  if (family.thinking === 'always') {
    if (asked === 'none')
      receipt.note('reasoning_effort', 'dropped', 'the thinking of this model cannot be switched off', { alters: true });
    else if (asked !== undefined) budget(draft, asked);
    return true;
  }
  if (mustNotThink !== null) {
    body['enable_thinking'] = false;
    const field = asked === undefined ? 'enable_thinking' : 'reasoning_effort';
    const wasOn = own === true || (effort === 'default' ? family.thinksByDefault : effort !== 'none');
    if (wasOn)
      receipt.note(field, asked === undefined ? 'defaulted' : 'emulated', `${mustNotThink}: thinking is switched off`, {
        to: 'false',
        alters: asked !== undefined && asked !== 'none',
      });
    return false;
  }
  if (typeof own === 'boolean') {
    body['enable_thinking'] = own;
    return own;
  }
  if (effort === 'default') return family.thinksByDefault;
  if (asked === undefined && (effort === 'none') === family.thinksByDefault) {
    receipt.note('enable_thinking', 'defaulted', 'as the model that was asked for thinks, or does not', { to: String(effort !== 'none') });
  }
  body['enable_thinking'] = effort !== 'none';
  if (effort === 'none') {
    if (asked !== undefined) receipt.note('reasoning_effort', 'renamed', 'the backend has a switch for it', { to: 'enable_thinking' });
    return false;
  }
  if (family.thinking === 'budget') budget(draft, effort);
  else {
    const word = family.thinking === 'effort' ? QWEN38[effort] : HOSTED[effort];
    body['reasoning_effort'] = word;
    if (asked !== undefined && word !== asked) receipt.note('reasoning_effort', 'clamped', 'the nearest the backend knows', { to: word });
  }
  return true;
}

function budget(draft: Draft, effort: Exclude<Effort, 'none'>): void {
  const tokens = BUDGETS[effort];
  if (draft.request.reasoning_effort !== undefined) {
    draft.receipt.note('reasoning_effort', 'emulated', 'the backend takes a number of tokens', {
      to: tokens === null ? 'enable_thinking' : `thinking_budget=${tokens}`,
    });
  }
  if (tokens !== null && draft.request['thinking_budget'] === undefined) draft.body['thinking_budget'] = tokens;
}
