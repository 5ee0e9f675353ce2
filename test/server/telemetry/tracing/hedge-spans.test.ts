import { expect, test } from 'vitest';
import { HELLO } from '../../../http/desk.ts';
import { tracingRig } from './tracing-rig.ts';

const rig = tracingRig();
const models = `  hedged:
    hedge: { after: 100, mostPercent: 100 }
    to: [{ to: qwen/qwen-plus, thinking: off }, { to: glm/glm-4.6, thinking: off }]
`;

test.each([
  { outcome: 'won', slow: [['qwen', 'silent']], answered: 'glm' },
  {
    outcome: 'lost',
    slow: [
      ['qwen', 'slow'],
      ['glm', 'silent'],
    ],
    answered: 'qwen',
  },
] as const)(
  'a hedge that $outcome: the request says so, the calls say which was made beside and which was outrun',
  async ({ outcome, slow, answered }) => {
    const { simulator } = await rig.open({ models });
    for (const [vendor, name] of slow) simulator.setFault({ name, vendor, args: name === 'slow' ? { firstByteMs: '1500' } : {} });
    const answer = await rig.ask({ ...HELLO, model: 'hedged' });
    expect([answer.status, answer.headers.get('x-estafet-backend')]).toEqual([200, answered]);
    const { usage } = (await answer.json()) as { usage: { completion_tokens: number } };
    const used = (vendor: string): number => (vendor === answered ? usage.completion_tokens : 0);
    const { root, calls } = await rig.spans();
    expect(root.status.code).toBe(0);
    expect(root.attributes).toMatchObject({ 'estafet.hedge': outcome, 'estafet.backend': answered, 'estafet.attempts': 2 });
    const shown = calls.map(({ attributes, status }) => [
      attributes['estafet.backend'],
      attributes['estafet.attempt'],
      attributes['estafet.hedge'] ?? false,
      attributes['estafet.outrun'] ?? false,
      attributes['error.type'],
      status.code,
      attributes['gen_ai.usage.output_tokens'],
    ]);
    expect(shown.toSorted()).toEqual([
      ['glm', 1, true, answered !== 'glm', undefined, 0, used('glm')],
      ['qwen', 0, false, answered !== 'qwen', undefined, 0, used('qwen')],
    ]);
  },
);
