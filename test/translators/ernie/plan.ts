/** What the tests of requests share: one call of the translator with the catalogue's facts, as the relay makes it. */
import { loadCatalog } from '../../../catalog/catalog.ts';
import type { ChatRequest, Effort } from '../../../openai/chat/request.ts';
import { ernieV2 } from '../../../translators/ernie/v2.ts';
import { Receipt } from '../../../translators/receipt.ts';
import type { Target, UpstreamPlan } from '../../../translators/translator.ts';

const catalog = loadCatalog();

export const HELLO = [{ role: 'user', content: 'Hello' }] as const;

export interface Wish {
  readonly model?: string;
  readonly thinking?: Effort | 'default';
  readonly strict?: boolean;
  readonly facts?: Partial<Target['facts']>;
}

export interface Planned extends UpstreamPlan {
  readonly receipt: Receipt;
  /** `field=fate`, with `!` behind where the answer may differ. */
  readonly changes: readonly string[];
}

/** @throws OpenAIError as the translator does */
export function plan(request: Record<string, unknown>, wish: Wish = {}): Planned {
  const model = wish.model ?? 'ernie-4.5-turbo-128k';
  const facts = { ...catalog.model('ernie', model), ...wish.facts };
  const receipt = new Receipt(wish.strict ?? false);
  const whole = { model: 'gpt-4o', messages: HELLO, ...request } as ChatRequest;
  const target: Target = { model, facts, region: 'cn', thinking: wish.thinking ?? 'default', requestId: 'req_1' };
  const made = ernieV2.request(whole, target, receipt);
  return { ...made, receipt, changes: receipt.changes.map(({ field, fate, alters }) => `${field}=${fate}${alters ? '!' : ''}`) };
}
