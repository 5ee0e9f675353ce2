/**
 * Whether a request makes a model think, and how long. The switch differs by family (Qianfan: thinking models);
 * a switch of another family is range-checked and otherwise ignored.
 */

import { badArgument } from './errors.ts';
import { isObject, type JsonObject } from './json.ts';
import type { ChatModel } from './models.ts';
import { flag, whole } from './parameters.ts';

export interface Thinking {
  readonly on: boolean;
  /** Upper bound in tokens; null where the model takes no budget. */
  readonly budget: number | null;
  /** Scales the amount: 1 = normal. */
  readonly effort: number;
}

const DEFAULT_BUDGET = 16_384;
/** Of May 2026: low and medium count as high, xhigh as max. */
const EFFORT: Readonly<Record<string, number>> = { low: 1, medium: 1, high: 1, xhigh: 2, max: 2 };

/** @throws Refusal `invalid_argument` */
export function readThinking(body: JsonObject, model: ChatModel): Thinking {
  const enabled = flag(body, 'enable_thinking');
  const type = readType(body['thinking']);
  const budget = whole(body, 'thinking_budget', { min: 100 });
  const strategy = body['thinking_strategy'] ?? null;
  if (strategy !== null && strategy !== 'short_think' && strategy !== 'chain_of_draft') {
    throw badArgument('thinking_strategy must be short_think or chain_of_draft');
  }
  const effortName = body['reasoning_effort'] ?? null;
  const effort = effortName === null ? 1 : typeof effortName === 'string' ? EFFORT[effortName] : undefined;
  if (effort === undefined) throw badArgument('reasoning_effort must be low, medium, high, xhigh or max');

  return {
    on: isOn(model, enabled, type, effortName !== null),
    budget: model.budget ? (budget ?? DEFAULT_BUDGET) : null,
    effort: (model.thinking === 'effort' ? effort : 1) * (strategy === null ? 1 : 0.5),
  };
}

function isOn(model: ChatModel, enabled: boolean | null, type: boolean | null, hasEffort: boolean): boolean {
  switch (model.thinking) {
    case 'none':
      return false;
    case 'always':
      return true;
    case 'enable':
      return enabled ?? model.thinksByDefault;
    case 'type':
      return type ?? model.thinksByDefault;
    case 'effort':
      return type ?? enabled ?? hasEffort;
  }
}

function readType(value: unknown): boolean | null {
  if (value === undefined || value === null) return null;
  const type = isObject(value) ? value['type'] : undefined;
  if (type !== 'enabled' && type !== 'disabled') throw badArgument('the type of thinking must be enabled or disabled');
  return type === 'enabled';
}
