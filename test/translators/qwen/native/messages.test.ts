import { describe, expect, test } from 'vitest';
import { HI } from '../ask.ts';
import { askNative } from './ask.ts';

const image = { type: 'image_url', image_url: { url: 'https://a.example/b.png' } };

describe('messages', () => {
  const marked = { type: 'text', text: 'long', cache_control: { type: 'ephemeral' } };
  const loop = [
    { role: 'user', content: 'Weather?' },
    { role: 'assistant', content: null, tool_calls: [{ id: 'c1', type: 'function', function: { name: 'look', arguments: '{}' } }] },
    { role: 'tool', tool_call_id: 'c1', content: 'sunny' },
  ];
  const called = [{ id: 'c1', type: 'function', function: { name: 'look', arguments: '{}' } }];
  test.each<[string, unknown[], unknown[], string[], string]>([
    [
      'roles on the text path',
      [
        { role: 'developer', content: 'Be brief.' },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'a' },
            { type: 'text', text: 'b' },
          ],
        },
      ],
      [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'a\nb' },
      ],
      ['messages[0].role=renamed', 'messages[1].content=emulated'],
      'qwen-plus',
    ],
    [
      'a cache mark on the text path',
      [{ role: 'user', content: [marked] }],
      [{ role: 'user', content: [{ text: 'long', cache_control: { type: 'ephemeral' } }] }],
      [],
      'qwen-plus',
    ],
    ['text on the multimodal path', HI, [{ role: 'user', content: [{ text: 'Hi' }] }], [], 'qwen3-vl-plus'],
    [
      'parts',
      [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'What?' },
            { ...image, min_pixels: 4, cache_control: { type: 'ephemeral' } },
          ],
        },
      ],
      [
        {
          role: 'user',
          content: [{ text: 'What?' }, { image: 'https://a.example/b.png', min_pixels: 4, cache_control: { type: 'ephemeral' } }],
        },
      ],
      [],
      'qwen3-vl-plus',
    ],
    [
      'a data URL',
      [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } }] }],
      [{ role: 'user', content: [{ image: 'data:image/png;base64,AAAA' }] }],
      [],
      'qwen3-vl-plus',
    ],
    [
      'a voice',
      [{ role: 'user', content: [{ type: 'input_audio', input_audio: { data: 'AAAA', format: 'wav' } }] }],
      [{ role: 'user', content: [{ audio: 'data:audio/wav;base64,AAAA' }] }],
      ['messages[0].content[0].input_audio.data=renamed'],
      'qwen3-omni-flash',
    ],
    ['a tool loop on the text path', loop, [loop[0], { role: 'assistant', content: '', tool_calls: called }, loop[2]], [], 'qwen-plus'],
    [
      'a tool loop on the multimodal path',
      loop,
      [
        { role: 'user', content: [{ text: 'Weather?' }] },
        { role: 'assistant', content: [{ text: '' }], tool_calls: called },
        { role: 'tool', tool_call_id: 'c1', content: [{ text: 'sunny' }] },
      ],
      [],
      'qwen3-vl-plus',
    ],
  ])('%s', (_name, messages, sent, noted, model) => {
    const { body, changes } = askNative({ messages }, { model });
    expect(body.input.messages).toEqual(sent);
    expect(changes.filter((change) => !/^(enable_thinking|stream)=/.test(change))).toEqual(noted);
  });

  test('detail high is the switch for all images', () => {
    const messages = [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'https://a.example/b.png', detail: 'high' } }] }];
    expect(askNative({ messages }, { model: 'qwen3-vl-plus' }).body.parameters).toMatchObject({ vl_high_resolution_images: true });
  });
});
