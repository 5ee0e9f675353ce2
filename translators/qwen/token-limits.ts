import { clampTokens, wantedMaxTokens } from '../compatible/carry.ts';
import type { Draft } from '../compatible/draft.ts';
import { maxThinking } from './thinking.ts';

/** Part of a bound on both that thinking may take, so that an answer is left. */
const SHARE = 0.75;
/** Tokens of thinking beside a bound on the answer alone, where nothing else bounds them. */
const DEFAULT_BUDGET = 8192;

/** `max_tokens` bounds the answer alone, `max_completion_tokens` (newer families) thinking and answer together. */
export function carryMaxTokens(draft: Draft, thinks: boolean): void {
  const wanted = wantedMaxTokens(draft);
  if (wanted === null) return;
  const { field, value } = wanted;
  const { body, receipt, facts } = draft;
  if (!thinks) {
    body['max_tokens'] = clampTokens(draft, field, value, 1, facts.maxOutputTokens);
    if (field !== 'max_tokens') receipt.note(field, 'renamed', 'without thinking both bound the same', { to: 'max_tokens' });
  } else if (facts.rules.totalTokens) carryTotal(draft, field, value);
  else if (field === 'max_completion_tokens') carrySplit(draft, value);
  else carryAnswer(draft, value);
}

/** One bound for both, and a budget below it, unless an effort is sent (never both). */
function carryTotal(draft: Draft, field: string, value: number): void {
  const { body, receipt, facts } = draft;
  const most = facts.maxOutputTokens === null ? null : facts.maxOutputTokens + maxThinking(draft);
  const total = clampTokens(draft, field, value, 1, most === null || !Number.isFinite(most) ? null : most);
  body['max_completion_tokens'] = total;
  if (field !== 'max_completion_tokens') receipt.note(field, 'renamed', 'only this bounds thinking too', { to: 'max_completion_tokens' });
  if (body['reasoning_effort'] !== undefined || !facts.rules.thinkingBudget) return;
  const room = shareOf(total);
  const budget = body['thinking_budget'];
  if (room >= (typeof budget === 'number' ? budget : maxThinking(draft))) return;
  body['thinking_budget'] = room;
  const fate = draft.request['thinking_budget'] === undefined ? 'defaulted' : 'clamped';
  receipt.note('thinking_budget', fate, 'a part of the bound is kept for the answer', { to: String(room) });
}

/** No single bound: three quarters for thinking, the rest for the answer. */
function carrySplit(draft: Draft, value: number): void {
  const { body, receipt } = draft;
  const own = body['thinking_budget'];
  const budget = Math.min(shareOf(value), maxThinking(draft), typeof own === 'number' ? own : Number.POSITIVE_INFINITY);
  body['thinking_budget'] = budget;
  body['max_tokens'] = clampTokens(draft, 'max_completion_tokens', Math.max(1, value - budget), 1, draft.facts.maxOutputTokens);
  receipt.note('max_completion_tokens', 'emulated', 'the backend bounds thinking and answer apart', {
    to: `thinking_budget=${budget}, max_tokens=${String(body['max_tokens'])}`,
    alters: true,
  });
}

/** The older field: the answer gets all of it, and thinking a bound of its own. */
function carryAnswer(draft: Draft, value: number): void {
  const { body, receipt } = draft;
  body['max_tokens'] = clampTokens(draft, 'max_tokens', value, 1, draft.facts.maxOutputTokens);
  body['thinking_budget'] ??= Math.min(DEFAULT_BUDGET, maxThinking(draft));
  receipt.note('max_tokens', 'emulated', 'the backend bounds the answer by it, and the thinking before it apart', {
    to: `thinking_budget=${String(body['thinking_budget'])}, max_tokens=${String(body['max_tokens'])}`,
    alters: true,
  });
}

const shareOf = (total: number): number => Math.max(1, Math.floor(total * SHARE));
