/** Translates one request to Qwen as the relay would, in compatible mode unless told, for the tables of this folder. */
import { loadCatalog } from '../../../catalog/catalog.ts';
import type { ChatRequest, Effort } from '../../../openai/chat/request.ts';
import { OpenAIError } from '../../../openai/errors.ts';
import { qwenCompatible } from '../../../translators/qwen/compatible.ts';
import { type Change, Receipt } from '../../../translators/receipt.ts';
import type { ChatTranslator, ModelFacts, Target, UpstreamPlan } from '../../../translators/translator.ts';

const catalog = loadCatalog();

export interface Asked extends UpstreamPlan {
  /** `field=fate`, with `!` behind where the answer may differ, in order. */
  readonly changes: readonly string[];
  readonly receipt: readonly Change[];
}

export interface Situation {
  readonly model?: string;
  readonly thinking?: Target['thinking'];
  readonly strict?: boolean;
  readonly facts?: Partial<ModelFacts>;
  readonly translator?: ChatTranslator;
}

export const HI = [{ role: 'user', content: 'Hi' }];

export const tool = (name: string, more: object = {}) => ({
  type: 'function',
  function: { name, description: `About ${name}`, parameters: { type: 'object', properties: {} }, ...more },
});
export const EFFORTS: readonly Effort[] = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'];

export const TOOLS = [tool('look'), tool('jump')];

export function ask(request: Record<string, unknown>, situation: Situation = {}): Asked {
  const model = situation.model ?? 'qwen-plus';
  const translator = situation.translator ?? qwenCompatible;
  const receipt = new Receipt(situation.strict ?? false);
  const target: Target = {
    model,
    facts: { ...catalog.model('qwen', model), ...situation.facts },
    region: 'cn-beijing',
    thinking: situation.thinking ?? 'none',
    requestId: 'req_1',
  };
  const plan = translator.request({ model: 'gpt-4o', messages: HI, ...request } as unknown as ChatRequest, target, receipt);
  const changes = receipt.changes.map(({ field, fate, alters }) => `${field}=${fate}${alters ? '!' : ''}`);
  return { ...plan, changes, receipt: receipt.changes };
}

/** The refusal of a request that cannot be carried. */
export function refusal(request: Record<string, unknown>, situation: Situation = {}): OpenAIError {
  try {
    ask(request, situation);
  } catch (error) {
    if (error instanceof OpenAIError) return error;
    throw error;
  }
  throw new Error('the request was carried');
}

/** What a request to a model with a switch holds besides what was asked for. */
export const ALWAYS = { model: 'qwen-plus', messages: HI, stream: false, enable_thinking: false };

/** The body without what is in every body, and without `enable_thinking=defaulted` in the changes. */
export function extras(request: Record<string, unknown>, situation: Situation = {}): { body: Record<string, unknown>; changes: string[] } {
  const { body, changes } = ask(request, situation);
  const { model: _model, messages: _messages, stream: _stream, stream_options: _options, enable_thinking: _thinking, ...rest } = body;
  return { body: rest, changes: changes.filter((change) => !/^(enable_thinking|stream)=/.test(change)) };
}

const AMOUNTS = ['enable_thinking', 'thinking_budget', 'reasoning_effort', 'preserve_thinking', 'max_tokens', 'max_completion_tokens'];

/** What is sent of thinking and its bounds, and what is noted of them. */
export function thinking(request: Record<string, unknown>, situation: Situation): [Record<string, unknown>, string[]] {
  const { body, changes } = ask(request, situation);
  return [
    Object.fromEntries(Object.entries(body).filter(([key]) => AMOUNTS.includes(key))),
    changes.filter((change) => !change.startsWith('stream')),
  ];
}
