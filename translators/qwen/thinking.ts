import type { Effort } from '../../openai/chat/request.ts';
import type { Draft } from '../compatible/draft.ts';

/** Tokens of thinking for each effort on models with a budget; null = the model's own maximum. */
const BUDGETS: Readonly<Record<Exclude<Effort, 'none'>, number | null>> = {
  minimal: 512,
  low: 2048,
  medium: 8192,
  high: 32_768,
  xhigh: null,
  max: null,
};

/**
 * Switches thinking on or off, always explicitly where there is a switch: the default changed from off to on between families,
 * and an app that moves between models must not notice by its bill.
 *
 * `enable_thinking` and `thinking_budget` come from clients that know that they talk to Qwen, and win over `reasoning_effort`.
 * Effort and budget are never sent together: the vendor refuses both at once.
 *
 * @param mustNotThink why thinking has to be off (forced tools, JSON mode), or null
 * @returns whether the model will think
 */
export function carryThinking(draft: Draft, mustNotThink: string | null): boolean {
  const thinks = carrySwitch(draft, mustNotThink);
  if (thinks) carryAmount(draft);
  else dropAmount(draft);
  carryPreserved(draft);
  return thinks;
}

/** `enable_thinking`, or `reasoning_effort` as far as it says whether. */
function carrySwitch(draft: Draft, mustNotThink: string | null): boolean {
  const { request, target, receipt, body, facts } = draft;
  const asked = request.reasoning_effort;
  const own = flag(draft, 'enable_thinking');
  const kind = facts.rules.thinkingSwitch;
  if (kind === 'none') {
    if (own !== undefined) receipt.note('enable_thinking', 'dropped', 'the model does not think', { alters: own });
    if (asked !== undefined)
      receipt.note('reasoning_effort', 'dropped', 'the model does not think', { alters: asked !== 'none' && asked !== 'minimal' });
    return false;
  }
  if (kind === 'always') {
    const reason = 'this model always thinks';
    if (own !== undefined) receipt.note('enable_thinking', 'dropped', reason, { alters: !own });
    if (asked === 'none') receipt.note('reasoning_effort', 'dropped', reason, { alters: true });
    return true;
  }
  const effort = asked ?? target.thinking;
  const wish = own ?? (effort === 'default' ? (facts.thinksByDefault ?? false) : effort !== 'none');
  if (own !== undefined && asked !== undefined && own !== (asked !== 'none')) {
    receipt.note('reasoning_effort', 'dropped', 'enable_thinking was sent too, says otherwise and wins', { alters: true });
  }
  if (mustNotThink !== null) {
    body['enable_thinking'] = false;
    if (own === true) {
      receipt.note('enable_thinking', 'dropped', `${mustNotThink}: thinking is switched off`, { alters: true });
      if (asked !== undefined && asked !== 'none') receipt.note('reasoning_effort', 'dropped', mustNotThink, { alters: true });
    } else if (wish) {
      const fate = asked === undefined ? 'defaulted' : 'emulated';
      receipt.note(asked === undefined ? 'enable_thinking' : 'reasoning_effort', fate, `${mustNotThink}: thinking is switched off`, {
        to: 'enable_thinking=false',
        alters: asked !== undefined,
      });
    } else noteOff(draft, own);
    return false;
  }
  body['enable_thinking'] = wish;
  if (!wish) noteOff(draft, own);
  else if (own === undefined && asked === undefined)
    receipt.note('enable_thinking', 'defaulted', 'the default differs between models: it is said aloud', { to: 'true' });
  return wish;
}

/** Thinking is off as wished: by the vendor's own switch, by `none`, or because nothing asked for it. */
function noteOff(draft: Draft, own: boolean | undefined): void {
  const asked = draft.request.reasoning_effort;
  if (asked === 'none')
    draft.receipt.note('reasoning_effort', 'renamed', 'the backend has a switch for it', { to: 'enable_thinking=false' });
  else if (own === undefined && asked === undefined)
    draft.receipt.note('enable_thinking', 'defaulted', 'the default differs between models: it is said aloud', { to: 'false' });
}

/** `thinking_budget` as sent, else the effort, in the words of the model. */
function carryAmount(draft: Draft): void {
  const { request, target, receipt, body } = draft;
  const asked = request.reasoning_effort;
  const own = ownBudget(draft);
  if (own !== undefined) {
    body['thinking_budget'] = own;
    if (asked !== undefined && asked !== 'none') receipt.note('reasoning_effort', 'dropped', 'thinking_budget was sent too and wins');
    return;
  }
  const effort = asked ?? target.thinking;
  if (effort === 'none' || effort === 'default') return;
  const { thinkingSwitch, efforts } = draft.facts.rules;
  const word = efforts?.[effort];
  if (word !== undefined) {
    body['reasoning_effort'] = word;
    if (asked === undefined) receipt.note('reasoning_effort', 'defaulted', 'the relay’s own setting for this model', { to: word });
    else if (word !== asked) receipt.note('reasoning_effort', 'clamped', 'the nearest the backend knows', { to: word });
    return;
  }
  // A model that always thinks gives its best at `high` only with its own maximum.
  const tokens = thinkingSwitch === 'always' && effort === 'high' ? null : BUDGETS[effort];
  const sent = tokens === null ? null : Math.min(tokens, maxThinking(draft));
  if (sent !== null) body['thinking_budget'] = sent;
  const to = sent === null ? 'no thinking_budget' : `thinking_budget=${sent}`;
  if (asked !== undefined) receipt.note('reasoning_effort', 'emulated', 'the backend takes a number of tokens', { to });
  else if (sent !== null) receipt.note('thinking_budget', 'defaulted', 'the relay’s own setting for this model', { to: String(sent) });
}

/** Without thinking there is nothing to bound. */
function dropAmount(draft: Draft): void {
  if (draft.request['thinking_budget'] !== undefined)
    draft.receipt.note('thinking_budget', 'dropped', 'the answer is made without thinking');
}

/** The largest budget the model takes. */
export const maxThinking = ({ facts }: Draft): number => facts.rules.maxThinkingTokens ?? Number.POSITIVE_INFINITY;

function ownBudget(draft: Draft): number | undefined {
  const budget = draft.request['thinking_budget'];
  if (budget === undefined) return undefined;
  if (typeof budget !== 'number' || !Number.isSafeInteger(budget) || budget < 1) {
    draft.receipt.refuse('thinking_budget', "Invalid 'thinking_budget': expected a positive integer.", 'unsupported_value');
  }
  const sent = Math.min(budget, maxThinking(draft));
  if (sent !== budget) draft.receipt.note('thinking_budget', 'clamped', `the model takes up to ${sent}`, { to: String(sent) });
  return sent;
}

/** `preserve_thinking`: earlier thinking is read again, and paid for again. */
function carryPreserved(draft: Draft): void {
  const preserve = flag(draft, 'preserve_thinking');
  if (preserve === undefined) return;
  if (draft.facts.rules.thinkingSwitch === 'none') draft.receipt.note('preserve_thinking', 'dropped', 'the model does not think');
  else draft.body['preserve_thinking'] = preserve;
}

function flag(draft: Draft, field: string): boolean | undefined {
  const value = draft.request[field];
  if (value === undefined || typeof value === 'boolean') return value;
  return draft.receipt.refuse(field, `Invalid type for '${field}': expected a boolean.`, 'unsupported_value');
}
