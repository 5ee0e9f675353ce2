import { describe, expect, test } from 'vitest';
import { loadCatalog } from '../../catalog/catalog.ts';
import type { ChatRequest } from '../../openai/chat/request.ts';
import { OpenAIError } from '../../openai/errors.ts';
import { refuseBeyondContext } from '../../relay/chat/context-length.ts';

const plain = loadCatalog().model('qwen', 'qwen-plus');
const model = (contextTokens: number | null) => ({ facts: { ...plain, contextTokens } });
const prompt = (content: unknown): Pick<ChatRequest, 'messages'> => ({ messages: [{ role: 'user', content }] }) as unknown as ChatRequest;
/** Text in which no two neighbours are alike. */
const text = (length: number, letters = 'ab'): string => letters.repeat(Math.ceil(length / letters.length)).slice(0, length);

function refusal(content: unknown, contextTokens: number | null): OpenAIError | null {
  try {
    refuseBeyondContext(prompt(content), model(contextTokens));
    return null;
  } catch (error) {
    if (error instanceof OpenAIError) return error;
    throw error;
  }
}

describe('of a context of 1,000 tokens', () => {
  test.each<[string, unknown, boolean]>([
    ['8,000 letters might fit', text(8_000), false],
    ['8,008 letters do not', text(8_008), true],
    ['3,000 Chinese characters might fit', text(3_000, '你好'), false],
    ['3,003 Chinese characters do not', text(3_003, '你好'), true],
    ['a long run of one character is one token to some', ' '.repeat(1_000_000), false],
    [
      'text parts count together',
      [
        { type: 'text', text: text(4_004) },
        { type: 'text', text: text(4_004) },
      ],
      true,
    ],
    ['a picture counts nothing', [{ type: 'image_url', image_url: { url: `data:image/png;base64,${text(100_000)}` } }], false],
    ['nothing', null, false],
  ])('%s', (_what, content, refused) => expect(refusal(content, 1_000) !== null).toBe(refused));
});

test('a context that nobody knows refuses nothing', () => expect(refusal(text(10_000_000), null)).toBeNull());

test('OpenAI’s words; another candidate may take it', () => {
  const error = refusal(text(80_000), 1_000);
  expect(error?.toJSON()).toEqual({
    error: {
      message:
        "This model's maximum context length is 1000 tokens. However, your messages resulted in at least 10000 tokens. Please reduce the length of the messages.",
      type: 'invalid_request_error',
      param: 'messages',
      code: 'context_length_exceeded',
    },
  });
  expect([error?.status, error?.details.fallback]).toEqual([400, true]);
});
