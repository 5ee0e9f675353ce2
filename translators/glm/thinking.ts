import type { Effort } from '../../openai/chat/request.ts';
import type { Draft } from '../compatible/draft.ts';

/** The vendor's `thinking` object. */
interface Thinking {
  type: 'enabled' | 'disabled';
  clear_thinking?: boolean;
}

/**
 * Steers thinking. Every model that can think does so by default, so a request that stands for a model without thinking
 * switches it off; `default` sends nothing. The vendor's own `thinking` object, sent by a client that knows it talks to GLM,
 * wins over `reasoning_effort`.
 */
export function carryThinking(draft: Draft): void {
  const { request, target, receipt, body } = draft;
  const { thinkingSwitch, efforts } = draft.facts.rules;
  const asked = request.reasoning_effort;
  const own = readThinking(draft);
  if (thinkingSwitch === 'none' || (thinkingSwitch === 'always' && efforts === null)) {
    dropAll(draft, thinkingSwitch, own);
    return;
  }
  const effort = asked ?? target.thinking;
  if (thinkingSwitch === 'always') carryLevel(draft, effort, own);
  else if (own?.type !== undefined) {
    body['thinking'] = own;
    if (asked !== undefined && efforts !== null && own.type === 'enabled') body['reasoning_effort'] = asked;
    else if (asked !== undefined) receipt.note('reasoning_effort', 'dropped', 'thinking was sent too and wins');
  } else carryEffort(draft, effort);
  if (own?.clear_thinking !== undefined) {
    // The type has to be there; enabled is the vendor's default.
    const sent = (body['thinking'] as Thinking | undefined) ?? { type: 'enabled' };
    body['thinking'] = { ...sent, clear_thinking: own.clear_thinking };
  }
}

/** Thinking that cannot be switched off: "off" becomes the least of it. */
function carryLevel(draft: Draft, effort: Effort | 'default', own: Partial<Thinking> | null): void {
  const { request, receipt, body } = draft;
  const asked = request.reasoning_effort;
  const off = own?.type === 'disabled' || (own?.type === undefined && (effort === 'none' || effort === 'minimal'));
  if (own?.type !== undefined || off) body['thinking'] = { type: 'enabled' };
  if (off) {
    const least = wordFor(draft, 'none');
    body['reasoning_effort'] = least;
    const reason = 'the thinking of this model cannot be switched off: it thinks as little as it can';
    const to = `reasoning_effort=${least}`;
    if (own?.type === 'disabled') receipt.note('thinking', 'clamped', reason, { to, alters: true });
    if (asked !== undefined) receipt.note('reasoning_effort', 'clamped', reason, { to: least, alters: asked === 'none' });
    else if (own?.type === undefined) receipt.note('reasoning_effort', 'defaulted', reason, { to: least });
    return;
  }
  // With the vendor's own switch on, only the caller's own word counts, not the relay's reading of a model name.
  const level = own?.type === undefined ? effort : (asked ?? 'default');
  if (level === 'default') return;
  const word = wordFor(draft, level);
  body['reasoning_effort'] = word;
  if (asked === undefined) receipt.note('reasoning_effort', 'defaulted', 'as the model that was asked for thinks', { to: word });
  else if (word !== asked) receipt.note('reasoning_effort', 'clamped', 'the nearest that the backend knows', { to: word });
}

/** The effort in the words of the model; any other word is an error there. */
const wordFor = ({ facts }: Draft, effort: Effort): string => facts.rules.efforts?.[effort] ?? effort;

function carryEffort(draft: Draft, effort: Effort | 'default'): void {
  const { request, receipt, body } = draft;
  const { efforts } = draft.facts.rules;
  const asked = request.reasoning_effort;
  if (effort === 'default') return;
  const off = effort === 'none' || effort === 'minimal';
  if (off || efforts === null) body['thinking'] = { type: off ? 'disabled' : 'enabled' };
  else body['reasoning_effort'] = wordFor(draft, effort);
  if (asked === undefined) {
    const field = efforts !== null && !off ? 'reasoning_effort' : 'thinking';
    const to = field === 'thinking' ? (off ? 'disabled' : 'enabled') : effort;
    receipt.note(field, 'defaulted', 'as the model that was asked for thinks, or does not', { to });
  } else if (off) receipt.note('reasoning_effort', 'renamed', 'the backend has a switch for it', { to: 'thinking.type=disabled' });
  else if (efforts === null) receipt.note('reasoning_effort', 'clamped', 'the backend has a switch only', { to: 'thinking.type=enabled' });
}

/** Models that take no such field: what was asked for is noted, nothing is sent. */
function dropAll(draft: Draft, control: 'none' | 'always', own: Partial<Thinking> | null): void {
  const { request, receipt } = draft;
  const asked = request.reasoning_effort;
  const reason = control === 'always' ? 'the thinking of this model cannot be steered' : 'the model is not known to think';
  if (asked !== undefined) {
    const kept = control === 'always' ? asked !== 'none' : asked === 'none' || asked === 'minimal';
    receipt.note('reasoning_effort', 'dropped', reason, { alters: !kept });
  }
  if (request['thinking'] !== undefined) {
    const kept = own?.type === undefined || (own.type === 'enabled') === (control === 'always');
    receipt.note('thinking', 'dropped', reason, { alters: !kept });
  }
  if (request['clear_thinking'] !== undefined) receipt.note('clear_thinking', 'dropped', reason);
}

/** The caller's `thinking` object with `clear_thinking` beside or inside it; null when neither was sent. */
function readThinking(draft: Draft): Partial<Thinking> | null {
  const { request, receipt } = draft;
  const value = request['thinking'];
  const beside = request['clear_thinking'];
  if (value === undefined && beside === undefined) return null;
  const own: Partial<Thinking> = {};
  if (value !== undefined) {
    if (value === null || typeof value !== 'object' || Array.isArray(value)) wrong(draft, 'thinking', 'an object');
    for (const [key, entry] of Object.entries(value as Record<string, unknown>)) {
      if (key === 'type') {
        if (entry !== 'enabled' && entry !== 'disabled') wrong(draft, 'thinking.type', "'enabled' or 'disabled'");
        own.type = entry as Thinking['type'];
      } else if (key === 'clear_thinking') own.clear_thinking = flag(draft, 'thinking.clear_thinking', entry);
      else receipt.note(`thinking.${key}`, 'dropped', 'the backend does not document it', { alters: true });
    }
  }
  if (beside !== undefined) {
    own.clear_thinking = flag(draft, 'clear_thinking', beside);
    receipt.note('clear_thinking', 'renamed', 'the backend takes it inside thinking', { to: 'thinking.clear_thinking' });
  }
  return own;
}

function flag(draft: Draft, field: string, value: unknown): boolean {
  if (typeof value !== 'boolean') wrong(draft, field, 'a boolean');
  return value as boolean;
}

const wrong = (draft: Draft, field: string, expected: string): never =>
  draft.receipt.refuse(field, `Invalid value for '${field}': expected ${expected}.`, 'unsupported_value');
