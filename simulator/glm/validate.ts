/** Checks a chat request field by field and says what it means (GLM 2.1, 2.2, 2.6). */
import type { ComposeTask } from '../kernel/types.ts';
import { illegal, Refusal, wrong } from './errors.ts';
import type { Wishes } from './faults.ts';
import { checkLength, checkTypes, type Fields, requiredString, type Schema } from './fields.ts';
import { type Conversation, readMessages } from './messages.ts';
import { type ChatModel, findModel } from './models.ts';
import { type ReadTools, readTools } from './tools.ts';

export interface ChatRequest extends ReadTools {
  readonly model: ChatModel;
  readonly stream: boolean;
  readonly conversation: Conversation;
  readonly thinking: boolean;
  /** Scale of the amount of reasoning: 1 = `high`. */
  readonly effort: number;
  /** Answer and reasoning together, tokens. */
  readonly maxTokens: number;
  readonly json: ComposeTask['json'];
  readonly stop: readonly string[];
  readonly seed: number | null;
  readonly toolStream: boolean;
  /** The caller's own `request_id`. */
  readonly requestId: string | null;
  /** Everything that counts as prompt, tools included. */
  readonly promptText: string;
}

const SCHEMA: Schema = {
  model: 'string',
  messages: 'array',
  stream: 'boolean',
  thinking: 'object',
  reasoning_effort: 'string',
  do_sample: 'boolean',
  temperature: 'number',
  top_p: 'number',
  max_tokens: 'integer',
  tool_stream: 'boolean',
  tools: 'array',
  stop: 'array',
  response_format: 'object',
  request_id: 'string',
  user_id: 'string',
  sensitive_word_check: 'object',
  watermark_enabled: 'boolean',
  meta: 'object',
  extra: 'object',
};

/** In no schema, yet served without complaint and without effect. `metadata` is not among them: it was refused with 1210. */
const TOLERATED = new Set([
  'tool_choice',
  'seed',
  'stream_options',
  'n',
  'logprobs',
  'top_logprobs',
  'logit_bias',
  'presence_penalty',
  'frequency_penalty',
  'service_tier',
  'store',
  'parallel_tool_calls',
  'modalities',
  'prediction',
  'max_completion_tokens',
  'user',
]);
const TOLERATED_STRICT = new Set(['tool_choice', 'seed', 'stream_options']);

const EFFORTS: Readonly<Record<string, number>> = { none: 0, minimal: 0, low: 0.5, medium: 1, high: 1, xhigh: 2, max: 2 };

/** The model a body asks for, for journals; null when it names none. */
export function peekModel(body: Fields): string | null {
  return typeof body['model'] === 'string' ? body['model'] : null;
}

/** Finds the chat model. @throws Refusal 1213 no name · 1211/1214 unknown · 1212 not a chat model */
export function readModel(body: Fields, region: string): ChatModel {
  return findModel(requiredString(body, 'model'), 'chat', region);
}

/** @throws Refusal with the code and wording of the field that is wrong */
export function readChat(body: Fields, model: ChatModel, region: string, wishes: Wishes, keepsThinking: boolean): ChatRequest {
  checkTypes(body, SCHEMA, wishes.strict === true ? TOLERATED_STRICT : TOLERATED);
  checkLength(body, 'request_id', 6, 64);
  checkLength(body, 'user_id', 6, 128);
  const old = model.old || wishes.profile === 'old';
  checkSampling(body, old, wishes.strict === true);
  const thinking = readThinking(body, model, wishes, keepsThinking);
  const tools = readTools(body, model, region, { fields: wishes.strict === true, choice: wishes.strict ?? model.strict });
  const conversation = readMessages(body, model, old, thinking.keepsPast);
  return {
    ...tools,
    model,
    stream: body['stream'] === true,
    conversation,
    thinking: thinking.on,
    effort: thinking.effort,
    maxTokens: readMaxTokens(body, model),
    json: readFormat(body, model),
    stop: readStop(body, old || region === 'cn' ? 1 : 4),
    seed: Number.isInteger(body['seed']) ? (body['seed'] as number) : null,
    toolStream: body['tool_stream'] === true && model.toolStream,
    requestId: typeof body['request_id'] === 'string' ? body['request_id'] : null,
    promptText: body['tools'] === undefined ? conversation.text : `${conversation.text}\n${JSON.stringify(body['tools'])}`,
  };
}

function checkSampling(body: Fields, old: boolean, strict: boolean): void {
  // Greedy decoding ignores both, so nobody looks at them.
  if (body['do_sample'] === false) return;
  for (const [name, low] of [
    ['temperature', 0],
    ['top_p', 0.01],
  ] as const) {
    const value = body[name];
    if (typeof value !== 'number') continue;
    const fits = old ? value > 0 && value < 1 : value >= low && value <= 1;
    // "At most two decimals" is documented but was never seen enforced.
    if (!fits || (strict && Math.abs(value * 100 - Math.round(value * 100)) > 1e-9)) throw illegal(name);
  }
}

function readMaxTokens(body: Fields, model: ChatModel): number {
  const asked = body['max_tokens'];
  if (typeof asked !== 'number') return model.defaultOutput;
  if (asked < 1 || asked > model.maxOutput) {
    throw illegal('max_tokens', { zh: `应在 [1,${model.maxOutput}] 之内`, en: `must be in [1,${model.maxOutput}]` });
  }
  return asked;
}

function readStop(body: Fields, max: number): readonly string[] {
  const stop = (body['stop'] ?? []) as readonly unknown[];
  if (!stop.every((word) => typeof word === 'string')) throw wrong('stop must be an array of strings', 'stop 应为字符串数组');
  if (stop.length > max) throw illegal('stop', { zh: `最多 ${max} 个`, en: `holds more than ${max} entries` });
  return stop;
}

function readFormat(body: Fields, model: ChatModel): ComposeTask['json'] {
  const format = body['response_format'] as Fields | undefined;
  if (format === undefined || format['type'] === 'text') return null;
  // Text models only; json_schema is not offered.
  if (format['type'] !== 'json_object' || model.maxImages > 0) throw illegal('response_format.type');
  return { kind: 'object' };
}

function readThinking(body: Fields, model: ChatModel, wishes: Wishes, keepsThinking: boolean) {
  const asked = body['thinking'] as Fields | undefined;
  const type = asked?.['type'] ?? 'enabled';
  if (type !== 'enabled' && type !== 'disabled') throw illegal('thinking.type');
  const clear = asked?.['clear_thinking'];
  if (clear !== undefined && typeof clear !== 'boolean') throw wrong('thinking.clear_thinking must be of type boolean');
  if (model.strict && type === 'disabled') {
    throw new Refusal('1210', { zh: '该模型不能关闭思考', en: 'thinking cannot be disabled for this model' });
  }
  const scale = readEffort(body, model);
  const possible = model.thinking !== 'none' && wishes.profile !== 'old';
  // Models that always think without offering the parameter ignore it.
  const off = model.thinking === 'on' && (type === 'disabled' || scale === 0);
  return { on: possible && !off, effort: scale === 0 ? 1 : scale, keepsPast: clear === undefined ? keepsThinking : !clear };
}

function readEffort(body: Fields, model: ChatModel): number {
  const asked = body['reasoning_effort'];
  if (typeof asked !== 'string') return 1;
  const scale = EFFORTS[asked];
  if (scale === undefined) throw illegal('reasoning_effort');
  switch (model.effort) {
    case 'three':
      if (asked !== 'low' && asked !== 'high' && asked !== 'max') {
        throw wrong(`reasoning_effort ${asked} is not one of low, high, max`, `reasoning_effort 只能是 low、high、max`);
      }
      return scale;
    case 'mapped':
      // glm-5.2 takes low and medium as high, xhigh as max, none and minimal as no thinking.
      return scale === 0.5 ? 1 : scale;
    case 'ignored':
      return 1;
  }
}
