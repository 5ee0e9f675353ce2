import { invalid, Refusal } from './errors.ts';
import { given, type JsonObject } from './json.ts';
import type { ChatModel } from './models.ts';
import { readBoolean, whole } from './sampling.ts';

export interface ThinkingMode {
  readonly on: boolean;
  readonly budget: number | null;
  /** 1 = the normal amount of reasoning. */
  readonly effort: number;
}

/** Qwen3.8: three levels and four aliases. */
const QWEN_EFFORT: Readonly<Record<string, number>> = { low: 0.5, minimal: 0.5, medium: 1, high: 4, xhigh: 4, max: 4, none: 0 };
/** Hosted DeepSeek-V4 and GLM: two levels, the others are mapped. */
const HOSTED_EFFORT: Readonly<Record<string, number>> = { low: 1, medium: 1, high: 1, xhigh: 3, max: 3 };

/** Whether and how much the model thinks. @throws Refusal 400 */
export function readThinking(body: JsonObject, model: ChatModel, lastUser: string, stream: boolean): ThinkingMode {
  const asked = readBoolean(body, 'enable_thinking');
  const { effort, off } = readEffort(body, model);
  const budget = whole(
    body,
    'thinking_budget',
    (value) => value >= 1 && (model.maxThinking === 0 || value <= model.maxThinking),
    `The thinking_budget parameter must be a positive integer and not greater than ${model.maxThinking}`,
  );
  if (budget !== null && given(body, 'reasoning_effort') !== undefined && model.effort !== 'ignored') {
    throw invalid("'thinking_budget' and 'reasoning_effort' cannot be set at the same time");
  }
  if (model.thinking === 'none') {
    if (asked === true) {
      throw new Refusal('InvalidParameter.NotSupportEnableThinking', {
        message: `The model ${model.id} does not support enable_thinking.`,
      });
    }
    return { on: false, budget: null, effort: 1 };
  }
  if (model.thinking === 'only' && asked === false) throw invalid('The value of the enable_thinking parameter is restricted to True.');
  const on = model.thinking === 'only' || (!off && (asked ?? defaultMode(model, lastUser)));
  if (!stream && model.streamOnly) {
    throw invalid('This model only support stream mode, please enable the stream parameter to access the model. ');
  }
  if (!stream && on && model.thinksOnlyStreaming) throw invalid('parameter.enable_thinking must be set to false for non-streaming calls');
  return { on, budget, effort };
}

/** Open Qwen3 takes `/think` and `/no_think` typed by the user; the last one counts. */
function defaultMode(model: ChatModel, lastUser: string): boolean {
  const typed = model.thinksOnlyStreaming ? [...lastUser.matchAll(/(?<!\S)\/(no_)?think(?!\S)/g)].at(-1) : undefined;
  return typed === undefined ? model.thinking === 'on' : typed[1] === undefined;
}

function readEffort(body: JsonObject, model: ChatModel): { effort: number; off: boolean } {
  const value = given(body, 'reasoning_effort');
  const usual = { effort: model.effort === 'qwen' ? 4 : 1, off: false };
  if (value === undefined || model.effort === 'ignored') return usual;
  const table = model.effort === 'qwen' ? QWEN_EFFORT : HOSTED_EFFORT;
  const effort = typeof value === 'string' && Object.hasOwn(table, value) ? table[value] : undefined;
  if (effort === undefined) throw invalid(`'reasoning_effort' must be one of ${Object.keys(table).join(', ')}`);
  return { effort, off: effort === 0 };
}
