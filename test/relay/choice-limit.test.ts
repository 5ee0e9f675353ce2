import { describe, expect, test } from 'vitest';
import { completion, DONE } from './backends.ts';
import { JSON_TYPE, type Posted, rig, SSE } from './run-rig.ts';

describe('more choices than were asked for', () => {
  const many = (...texts: string[]): string =>
    JSON.stringify({
      ...(JSON.parse(completion('')) as object),
      choices: texts.map((content, index) => ({ index, message: { role: 'assistant', content }, finish_reason: 'stop' })),
    });
  const frames = (...texts: string[]): string[] =>
    [...texts, ...texts].map(
      (content, number) =>
        `data: ${JSON.stringify({
          id: 'x',
          object: 'chat.completion.chunk',
          created: 1,
          model: 'm',
          choices: [
            {
              index: number % texts.length,
              delta: number < texts.length ? { content } : {},
              finish_reason: number < texts.length ? null : 'stop',
            },
          ],
        })}\n\n`,
    );
  /** Choice → its text, as the caller reads them. */
  const seen = (told: string): Record<number, string> => {
    const texts: Record<number, string> = {};
    for (const data of told.split('\n').filter((line) => line.startsWith('data: {'))) {
      const chunk = JSON.parse(data.slice(6)) as { choices: { index: number; delta: { content?: string } }[] };
      for (const { index, delta } of chunk.choices) texts[index] = `${texts[index] ?? ''}${delta.content ?? ''}`;
    }
    return texts;
  };

  const CASES: [string, Parameters<typeof rig>[0], string[][], string[]][] = [
    ['one', {}, [['zero', 'one', 'two']], ['zero']],
    ['one, by name', { body: { n: 1 } }, [['zero', 'one']], ['zero']],
    ['two of the backend', { body: { n: 2 } }, [['zero', 'one', 'two']], ['zero', 'one']],
    [
      'two calls',
      { emulation: { choices: 2 } },
      [
        ['zero', 'wrong'],
        ['one', 'wrong too'],
      ],
      ['zero', 'one'],
    ],
    ['one that is checked', { emulation: { json: { schema: null } } }, [['{}', 'no JSON']], ['{}']],
    ['one with a stop word', { emulation: { stop: ['END'] } }, [['a END b', 'c']], ['a ']],
  ];

  test.each(CASES)('whole: %s', async (_name, options, legs, texts) => {
    const { run, posted } = rig(options);
    const result = run.start();
    legs.forEach((leg, index) => {
      const { listener, say } = posted[index] as Posted;
      listener.onHead(200, JSON_TYPE);
      say(many(...leg));
      listener.onEnd();
    });
    const { choices } = JSON.parse((await result).json ?? '') as { choices: { index: number; message: { content: string } }[] };
    expect(choices.map(({ index, message }) => [index, message.content])).toEqual(texts.map((text, index) => [index, text]));
  });

  test.each(CASES)('streamed: %s', async (_name, options, legs, texts) => {
    const { run, posted, out } = rig({ ...options, stream: true });
    const result = run.start();
    legs.forEach((leg, index) => {
      const { listener, say } = posted[index] as Posted;
      listener.onHead(200, SSE);
      say(...frames(...leg), DONE);
      listener.onEnd();
    });
    expect(await result).toMatchObject({ error: null });
    expect(seen(out.join(''))).toEqual({ ...texts });
  });

  test('choices that were not asked for are not those that were', async () => {
    const { run, posted } = rig({ body: { n: 2 } });
    const result = run.start();
    const [leg] = posted as [Posted];
    leg.listener.onHead(200, JSON_TYPE);
    leg.say(many('zero', 'one', 'two').replace('"index":1', '"index":3'));
    leg.listener.onEnd();
    await expect(result).rejects.toMatchObject({ kind: 'upstream_truncated' });
  });
});
