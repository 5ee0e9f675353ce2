/** Translates one request to GLM as the relay would, for the tables of this folder. */
import { Catalog } from '../../../catalog/catalog.ts';
import { loadFamilies } from '../../../catalog/families.ts';
import type { ChatRequest } from '../../../openai/chat/request.ts';
import { OpenAIError } from '../../../openai/errors.ts';
import { glmV4 } from '../../../translators/glm/v4.ts';
import { type Change, Receipt } from '../../../translators/receipt.ts';
import type { ModelFacts, Target, UpstreamPlan } from '../../../translators/translator.ts';

/** Families alone: what an unlisted model is taken for. */
export const families = new Catalog([], loadFamilies());

export interface Asked extends UpstreamPlan {
  /** `field=fate`, with `!` behind where the answer may differ, in order. */
  readonly changes: readonly string[];
  readonly receipt: readonly Change[];
}

export interface Situation {
  readonly model?: string;
  readonly region?: string;
  readonly thinking?: Target['thinking'];
  readonly strict?: boolean;
  readonly requestId?: string;
  readonly known?: Partial<ModelFacts>;
}

export const HI = [{ role: 'user', content: 'Hi' }];

export function ask(request: Record<string, unknown>, situation: Situation = {}): Asked {
  const model = situation.model ?? 'glm-4.6';
  const receipt = new Receipt(situation.strict ?? false);
  const target: Target = {
    model,
    facts: { ...families.model('glm', model), ...situation.known },
    region: situation.region ?? 'cn',
    thinking: situation.thinking ?? 'default',
    requestId: situation.requestId ?? 'req_0123456789abcdef',
  };
  const plan = glmV4.request({ model: 'gpt-4o', messages: HI, ...request } as unknown as ChatRequest, target, receipt);
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

/** The body of a request that asks for nothing but an answer. */
export const ALWAYS = { model: 'glm-4.6', messages: HI, stream: false, request_id: 'req_0123456789abcdef' };

export const tool = (name: string, parameters: Record<string, unknown> = { type: 'object', properties: {} }) => ({
  type: 'function',
  function: { name, description: `About ${name}`, parameters },
});
export const TOOLS = [tool('look'), tool('jump')];
