/** Drafts of requests to a backend that nobody makes, for the tables of this folder. */

import { loadFamilies } from '../../../catalog/families.ts';
import type { ChatRequest } from '../../../openai/chat/request.ts';
import { OpenAIError } from '../../../openai/errors.ts';
import { type Draft, newDraft } from '../../../translators/compatible/draft.ts';
import { Receipt } from '../../../translators/receipt.ts';
import type { ModelFacts } from '../../../translators/translator.ts';

export const FACTS: ModelFacts = {
  id: 'some-model',
  contextTokens: 1000,
  maxOutputTokens: 100,
  tools: true,
  vision: true,
  audioInput: false,
  jsonObject: true,
  jsonSchema: false,
  logprobs: false,
  webSearch: false,
  maxChoices: 1,
  thinking: 'none',
  thinksByDefault: false,
  rules: { ...loadFamilies().of('openai', 'some-model').rules, stopChars: 20 },
};

export function draft(request: Record<string, unknown>, options: { strict?: boolean; facts?: Partial<ModelFacts> } = {}): Draft {
  const facts = { ...FACTS, ...options.facts };
  const whole = { model: 'gpt-4o', messages: [{ role: 'user', content: 'Hi' }], ...request } as unknown as ChatRequest;
  const target = { model: 'some-model', facts, region: 'here', thinking: 'default', requestId: 'req_1' } as const;
  return newDraft(whole, target, new Receipt(options.strict ?? false));
}

/** `field=fate`, with `!` behind where the answer may differ, in order. */
export const changes = ({ receipt }: Draft): string[] =>
  receipt.changes.map(({ field, fate, alters }) => `${field}=${fate}${alters ? '!' : ''}`);

/** The error of something that must not go through. */
export function refused(run: () => unknown): OpenAIError {
  try {
    run();
  } catch (error) {
    if (error instanceof OpenAIError) return error;
    throw error;
  }
  throw new Error('it was carried');
}
