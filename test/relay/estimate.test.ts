import { describe, expect, test } from 'vitest';
import type { ChatMessage } from '../../openai/chat/request.ts';
import { promptTokens } from '../../relay/chat/estimate.ts';

const of = (content: ChatMessage['content'], more: Record<string, unknown> = {}) =>
  promptTokens({ messages: [{ role: 'user', content: content ?? null, ...more }] });

describe('the estimate of a prompt', () => {
  test.each([
    ['nothing', '', 4],
    ['English', 'word '.repeat(80), 104],
    ['Chinese', '你好'.repeat(75), 104],
    ['text parts', [{ type: 'text', text: 'a'.repeat(400) }], 104],
  ] as const)('%s', (_name, content, expected) => {
    expect(of(content)).toBe(expected);
  });

  test('a picture costs the same whatever its data', () => {
    const picture = (bytes: number) => of([{ type: 'image_url', image_url: { url: `data:image/png;base64,${'A'.repeat(bytes)}` } }]);
    expect(picture(1_000_000)).toBe(picture(10));
    expect(picture(10)).toBeGreaterThan(100);
  });

  test('tools and tool calls count as the JSON they are', () => {
    const tools = [{ type: 'function', function: { name: 'f', description: 'd'.repeat(400) } }] as const;
    expect(promptTokens({ messages: [{ role: 'user', content: '' }], tools })).toBeGreaterThan(100);
    const call = { id: 'c', type: 'function', function: { name: 'f', arguments: 'x'.repeat(400) } };
    expect(of('', { tool_calls: [call] })).toBeGreaterThan(100);
  });
});
