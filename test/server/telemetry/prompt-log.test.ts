import { describe, expect, test } from 'vitest';
import { MOST_SAID, Transcript } from '../../../relay/chat/transcript.ts';
import { redactor } from '../../../relay/upstream/secrets.ts';
import { MOST_PROMPT, promptFields } from '../../../server/telemetry/prompt-log.ts';

const SECRET = 'sk-0123456789abcdefghij';
const redact = redactor([SECRET]);
type Fields = { readonly prompt: Readonly<Record<string, unknown>>; readonly answer?: unknown };
const fields = (request: object, said: Parameters<typeof promptFields>[1] = null): Fields =>
  JSON.parse(`{${promptFields(request as Record<string, unknown>, said, redact).slice(1)}}`) as Fields;

test.each([
  [
    'messages',
    { model: 'm', temperature: 1, messages: [{ role: 'user', content: 'hi' }] },
    { messages: [{ role: 'user', content: 'hi' }] },
  ],
  ['texts to embed', { model: 'm', input: ['a', 'b'], user: 'u' }, { input: ['a', 'b'] }],
  ['tokens to embed', { input: [1, 2, 3] }, { input: '[3 tokens]' }],
  ['lists of tokens', { input: [[1, 2], [3]] }, { input: ['[2 tokens]', '[1 tokens]'] }],
  ['documents to rank', { query: 'q', documents: ['a', { text: 'b' }], top_n: 1 }, { query: 'q', documents: ['a', { text: 'b' }] }],
  [
    'an image',
    { messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'https://x/y?sig=z' } }] }] },
    { messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: '[17 characters]' } }] }] },
  ],
  [
    'audio and a file',
    { messages: [{ content: [{ input_audio: { data: 'AAAA', format: 'wav' } }, { file: { file_data: 'data:x;base64,AA' } }] }] },
    { messages: [{ content: [{ input_audio: { data: '[4 characters]', format: 'wav' } }, { file: { file_data: '[16 characters]' } }] }] },
  ],
  [
    'data in a text field',
    { messages: [{ content: `data:image/png;base64,${'A'.repeat(100)}` }] },
    { messages: [{ content: '[122 characters]' }] },
  ],
  ['a backend’s key', { messages: [{ content: `my key is ${SECRET}.` }] }, { messages: [{ content: 'my key is ***.' }] }],
  ['a field that is no text', { messages: [{ content: null, __proto__: 1 }] }, { messages: [{ content: null }] }],
])('%s', (_name, request, prompt) => {
  expect(fields(request)).toEqual({ prompt: { ...prompt, cutChars: 0 } });
});

describe('bounds', () => {
  test('what is cut is told', () => {
    const text = 'x'.repeat(MOST_PROMPT + 10);
    const { prompt } = fields({ messages: [{ content: text }, { content: 'more' }] });
    expect(prompt).toEqual({ messages: [{ content: `${'x'.repeat(MOST_PROMPT)}…` }, { content: '…' }], cutChars: 14 });
  });

  test('a key that the cut goes through is gone too', () => {
    const { prompt } = fields({ messages: [{ content: 'x'.repeat(MOST_PROMPT - 12) + SECRET }] });
    expect(JSON.stringify(prompt)).not.toContain(SECRET.slice(0, 9));
  });

  test('200,000 empty messages are a short line', () => {
    const messages = Array.from({ length: 200_000 }, () => ({ role: 'user', content: '' }));
    expect(promptFields({ messages }, null, redact).length).toBeLessThan(200_000);
  });
});

describe('answers', () => {
  const nothing = { text() {}, reasoning() {}, tool() {}, args() {}, citations() {}, finish() {}, usage() {} };

  test('text, thinking and calls of every choice', () => {
    const transcript = new Transcript(nothing, true);
    transcript.text(1, 'two');
    transcript.reasoning(0, 'hm');
    transcript.text(0, `it is ${SECRET}`);
    transcript.tool(0, 0, 'id', 'f');
    transcript.args(0, 0, '{"a":');
    transcript.args(0, 0, '1}');
    expect(fields({}, transcript.said).answer).toEqual({
      choices: [{ content: 'it is ***', reasoning: 'hm', calls: [{ name: 'f', arguments: '{"a":1}' }] }, { content: 'two' }],
      cutChars: 0,
    });
  });

  test('thinking that the caller does not see is not logged', () => {
    const transcript = new Transcript(nothing, false);
    transcript.reasoning(0, 'hm');
    transcript.text(0, 'a');
    expect(transcript.said).toMatchObject({ choices: [{ content: 'a', reasoning: '' }] });
  });

  test('bounded, also in calls', () => {
    const transcript = new Transcript(nothing, true);
    for (let index = 0; index < 3; index++) transcript.text(0, 'x'.repeat(MOST_SAID / 2));
    for (let call = 0; call < 1000; call++) transcript.tool(0, call, '', 'name');
    transcript.args(0, 999, 'args');
    const { choices, cutChars } = transcript.said;
    expect(choices[0]?.content).toHaveLength(MOST_SAID);
    expect(choices[0]?.calls).toHaveLength(128);
    expect(cutChars).toBe(MOST_SAID / 2 + 1000 * 'name'.length + 'args'.length);
  });
});
