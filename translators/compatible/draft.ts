import type { ChatField, ChatFields, ChatRequest } from '../../openai/chat/request.ts';
import type { Receipt } from '../receipt.ts';
import type { Emulation, ModelFacts, Target } from '../translator.ts';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** A vendor request in the making. Rules write to it; the messages are built last, with the instructions that emulations add. */
export interface Draft {
  readonly request: ChatRequest;
  readonly target: Target;
  readonly facts: ModelFacts;
  readonly receipt: Receipt;
  /** The vendor's body. */
  readonly body: Record<string, unknown>;
  /** Sentences for the system message that make a model do what the vendor has no switch for. */
  readonly instructions: string[];
  readonly emulation: Mutable<Emulation>;
}

export function newDraft(request: ChatRequest, target: Target, receipt: Receipt): Draft {
  return { request, target, facts: target.facts, receipt, body: { model: target.model }, instructions: [], emulation: {} };
}

/** What a dialect does with one field that the caller sent. */
export type Rule<T = unknown> = (draft: Draft, value: T, field: string) => void;

/** One rule for every field OpenAI documents: the compiler refuses a dialect that forgets one. */
export type FieldRules = { readonly [F in ChatField]: Rule<NonNullable<ChatFields[F]>> };

/** Fields of the vendor's own that clients send through `extra_body`. */
export type ExtraRules = Readonly<Record<string, Rule>>;

/** Runs the rule of each field sent. What has no rule is dropped, and said so. */
export function applyRules(draft: Draft, rules: FieldRules, extras: ExtraRules): void {
  const { request } = draft;
  for (const field of Object.keys(request)) {
    const rule = Object.hasOwn(rules, field)
      ? (rules[field as ChatField] as Rule)
      : Object.hasOwn(extras, field)
        ? extras[field]
        : undefined;
    if (rule !== undefined) rule(draft, request[field], field);
    else draft.receipt.note(field, 'dropped', 'neither OpenAI nor this backend documents the field', { alters: true });
  }
}

/** Sent as it came. */
export const keep: Rule = (draft, value, field) => {
  draft.body[field] = value;
};

/** Carried by a later step of the dialect, which notes what it changes. */
export const elsewhere: Rule = () => {};

/** Dropped, and the answer is the same without it. */
export const dropQuietly =
  (reason: string): Rule =>
  (draft, _value, field) =>
    draft.receipt.note(field, 'dropped', reason);

/** Dropped; with any value but the neutral one the answer may differ. */
export const dropUnless =
  (neutral: (value: unknown) => boolean, reason: string): Rule =>
  (draft, value, field) =>
    draft.receipt.note(field, 'dropped', neutral(value) ? `${reason}; this value means the default` : reason, { alters: !neutral(value) });

/** Refused by name: nothing like it exists on this backend. `neutral` values are dropped instead. */
export const refuseUnless =
  (neutral: (value: unknown) => boolean, what: string): Rule =>
  (draft, value, field) => {
    if (neutral(value)) draft.receipt.note(field, 'dropped', 'this value means the default');
    else
      draft.receipt.refuse(field, `Unsupported parameter: '${field}' is not supported with this model${what === '' ? '' : `: ${what}`}.`);
  };

/** Sent within a range; a value outside is moved to its border. `digits` rounds (vendors that refuse many decimals). */
export const within =
  (min: number, max: number, digits?: number): Rule<number> =>
  (draft, value, field) => {
    const inside = Math.min(max, Math.max(min, value));
    const sent = digits === undefined ? inside : Math.round(inside * 10 ** digits) / 10 ** digits;
    if (inside !== value) {
      draft.receipt.note(field, 'clamped', `the backend takes ${min} to ${max}`, { to: String(sent), alters: true });
    } else if (sent !== value) {
      draft.receipt.note(field, 'clamped', `the backend takes ${digits} decimals`, { to: String(sent) });
    }
    draft.body[field] = sent;
  };

/** Sent within the range of the model's family. */
export const withinRange =
  (name: 'temperature' | 'topP', digits?: number): Rule<number> =>
  (draft, value, field) => {
    const { min, max } = draft.facts.rules[name];
    within(min, max, digits)(draft, value, field);
  };

export const isZero = (value: unknown): boolean => value === 0;
export const isFalse = (value: unknown): boolean => value === false;
export const isEmptyObject = (value: unknown): boolean => value !== null && typeof value === 'object' && Object.keys(value).length === 0;
/** `modalities: ["text"]` is what every backend does. */
export const isTextOnly = (value: unknown): boolean => Array.isArray(value) && value.every((entry) => entry === 'text');
