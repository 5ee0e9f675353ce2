import type { Effort } from '../../openai/chat/request.ts';
import type { Draft } from '../compatible/draft.ts';

/** Tokens of thinking for each effort on models with a budget; 16384 is Qianfan's own default and the most it is told. */
const BUDGETS: Readonly<Record<Exclude<Effort, 'none' | 'minimal'>, number>> = {
  low: 2048,
  medium: 8192,
  high: 16_384,
  xhigh: 16_384,
  max: 16_384,
};
/** Qianfan's default where a budget exists and none is sent, and the least it takes. */
export const DEFAULT_BUDGET = 16_384;
export const MIN_BUDGET = 100;
/** How much of a token limit thinking may take; the rest is room for the answer. */
export const BUDGET_SHARE = 0.75;
/** The least limit that holds the least budget and room for an answer. Qianfan refuses a limit that is not above the budget. */
export const LEAST_LIMIT = Math.ceil(MIN_BUDGET / BUDGET_SHARE);

/** Only "off" on a model with a switch is less than `low`. */
const isOff = (effort: Effort): boolean => effort === 'none' || effort === 'minimal';

/**
 * Switches thinking on or off, always explicitly where there is a switch: Qianfan changed the default between two models of one family.
 * The client's own `enable_thinking` or `thinking` wins over the relay's reading of `reasoning_effort`.
 *
 * @returns whether the model will, or may, think
 */
export function carryThinking(draft: Draft): boolean {
  const { rules } = draft.facts;
  const own = ownSwitch(draft);
  if (rules.thinkingSwitch === 'none') {
    forget(draft, own, (on) => on, 'the model does not think');
    return false;
  }
  if (rules.thinkingSwitch === 'always') {
    forget(draft, own, (on) => !on, 'the thinking of this model cannot be switched off');
    carryBudget(draft);
    return true;
  }
  if (rules.thinkingSwitch === 'unclear') {
    carryUnclear(draft, own);
    return true;
  }
  const on = decide(draft, own);
  if (rules.thinkingSwitch === 'enable_thinking') draft.body['enable_thinking'] = on;
  else draft.body['thinking'] = { type: on ? 'enabled' : 'disabled' };
  if (!on) return false;
  if (rules.efforts !== null) carryEffort(draft);
  carryBudget(draft);
  return true;
}

interface OwnSwitch {
  readonly field: 'enable_thinking' | 'thinking';
  readonly on: boolean;
}

/** The switch a client sent in Qianfan's words. */
function ownSwitch(draft: Draft): OwnSwitch | null {
  const { enable_thinking: enable, thinking } = draft.request;
  if (enable !== undefined) {
    if (thinking !== undefined) draft.receipt.note('thinking', 'dropped', 'enable_thinking was sent too and wins');
    if (typeof enable === 'boolean') return { field: 'enable_thinking', on: enable };
    draft.receipt.refuse('enable_thinking', "Invalid 'enable_thinking': expected true or false.", 'unsupported_value');
  }
  if (thinking === undefined) return null;
  const type = thinking !== null && typeof thinking === 'object' ? (thinking as { type?: unknown }).type : undefined;
  if (type === 'enabled' || type === 'disabled') return { field: 'thinking', on: type === 'enabled' };
  return draft.receipt.refuse('thinking', "Invalid 'thinking': expected an object with type 'enabled' or 'disabled'.", 'unsupported_value');
}

/** Notes what a model without a switch does not follow; `lost` tells whether a wish for on, or off, is lost. */
function forget(draft: Draft, own: OwnSwitch | null, lost: (on: boolean) => boolean, reason: string): void {
  const { receipt, request } = draft;
  const { rules } = draft.facts;
  const asked = request.reasoning_effort;
  if (own !== null) receipt.note(own.field, 'dropped', reason, { alters: lost(own.on) });
  if (asked === undefined) return;
  if (rules.thinkingSwitch === 'always' && !isOff(asked)) {
    if (!rules.thinkingBudget) receipt.note('reasoning_effort', 'dropped', 'the model decides by itself how much it thinks');
  } else receipt.note('reasoning_effort', 'dropped', reason, { alters: lost(!isOff(asked)) });
}

/** No documented switch: a client that sends one itself may know better. */
function carryUnclear(draft: Draft, own: OwnSwitch | null): void {
  if (own?.field === 'enable_thinking') draft.body['enable_thinking'] = own.on;
  if (own?.field === 'thinking') draft.body['thinking'] = { type: own.on ? 'enabled' : 'disabled' };
  if (draft.request.reasoning_effort !== undefined)
    draft.receipt.note('reasoning_effort', 'dropped', 'no switch is documented for the thinking of this model', { alters: own === null });
}

function decide(draft: Draft, own: OwnSwitch | null): boolean {
  const { request, target, receipt, facts } = draft;
  const { rules } = facts;
  const field = rules.thinkingSwitch === 'enable_thinking' ? 'enable_thinking' : 'thinking';
  const asked = request.reasoning_effort;
  if (rules.thinkingBudget && leavesNoRoom(draft) && wantsThinking(draft, own)) {
    giveUp(draft, own, field);
    return false;
  }
  if (own !== null) {
    if (own.field !== field) receipt.note(own.field, 'renamed', 'the switch of this model has another name', { to: field });
    const measured = rules.thinkingBudget || rules.efforts !== null;
    if (asked !== undefined && (isOff(asked) || !own.on || !measured))
      receipt.note('reasoning_effort', 'dropped', `${own.field} was sent too and wins`);
    return own.on;
  }
  if (asked !== undefined) {
    const on = !isOff(asked);
    if (!on || (!rules.thinkingBudget && rules.efforts === null))
      receipt.note('reasoning_effort', 'emulated', 'the backend knows thinking on and off', { to: `${field}=${on}` });
    return on;
  }
  const on = target.thinking === 'default' ? facts.thinksByDefault === true : !isOff(target.thinking);
  const why = target.thinking === 'default' ? 'said openly, since the default differs between models' : 'as the model that was asked for';
  receipt.note(field, 'defaulted', why, { to: String(on) });
  return on;
}

function wantsThinking({ request, target, facts }: Draft, own: OwnSwitch | null): boolean {
  if (own !== null) return own.on;
  if (request.reasoning_effort !== undefined) return !isOff(request.reasoning_effort);
  return target.thinking === 'default' ? facts.thinksByDefault === true : !isOff(target.thinking);
}

/** The caller's token limit is too small for the least budget and an answer. */
function leavesNoRoom({ request, facts }: Draft): boolean {
  const limit = request.max_completion_tokens ?? request.max_tokens ?? Number.POSITIVE_INFINITY;
  return Math.min(limit, facts.maxOutputTokens ?? limit) < LEAST_LIMIT;
}

/** Thinking is left out, and each wish for it is told so. */
function giveUp(draft: Draft, own: OwnSwitch | null, field: string): void {
  const { request, receipt, body } = draft;
  const reason = `a limit of less than ${LEAST_LIMIT} tokens leaves no room for thinking and an answer: the thinking is switched off`;
  const wishes = [own?.field, request.reasoning_effort === undefined ? undefined : 'reasoning_effort'].filter((wish) => wish !== undefined);
  for (const wish of wishes) receipt.note(wish, 'emulated', reason, { to: `${field}=false`, alters: true });
  if (wishes.length === 0) receipt.note(field, 'defaulted', reason, { to: 'false', alters: true });
  if (body['thinking_budget'] === undefined) return;
  delete body['thinking_budget'];
  receipt.note('thinking_budget', 'dropped', reason, { alters: true });
}

/** What is wanted of a model that thinks; null = its own measure. */
function wantedEffort(draft: Draft): keyof typeof BUDGETS | null {
  const effort = draft.request.reasoning_effort ?? draft.target.thinking;
  return effort === 'default' || effort === 'none' || effort === 'minimal' ? null : effort;
}

/** The effort in the words of the model. */
function carryEffort(draft: Draft): void {
  const wanted = wantedEffort(draft);
  const word = wanted === null ? undefined : draft.facts.rules.efforts?.[wanted];
  if (word === undefined) return;
  draft.body['reasoning_effort'] = word;
  if (draft.request.reasoning_effort !== undefined && word !== wanted)
    draft.receipt.note('reasoning_effort', 'clamped', 'the nearest the backend knows', { to: word });
}

/** `thinking_budget`, the client's own or the effort's. */
function carryBudget(draft: Draft): void {
  const wanted = wantedEffort(draft);
  if (!draft.facts.rules.thinkingBudget || wanted === null) return;
  if (draft.body['thinking_budget'] !== undefined) {
    if (draft.request.reasoning_effort !== undefined)
      draft.receipt.note('reasoning_effort', 'dropped', 'thinking_budget was sent too and wins');
    return;
  }
  draft.body['thinking_budget'] = BUDGETS[wanted];
  if (draft.request.reasoning_effort !== undefined)
    draft.receipt.note('reasoning_effort', 'emulated', 'the backend takes a number of tokens', {
      to: `thinking_budget=${BUDGETS[wanted]}`,
    });
}
