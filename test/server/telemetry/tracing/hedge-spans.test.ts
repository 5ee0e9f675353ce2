import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { openTracing } from '../../../../server/telemetry/tracing/open-tracing.ts';
import { chat, digestOf, HELLO, KEY, openSimulated, type SimulatedDesk } from '../../../http/desk.ts';
import { type Collector, KIND, startCollector } from './collector.ts';

const REST = `models:
  pair: { hedge: { after: 100, mostPercent: 100 }, to: [{ to: qwen/qwen-plus, thinking: off }, { to: glm/glm-4.6, thinking: off }] }
teams: { t: { permit: { vendors: [qwen, glm], regions: ['*'] } } }
keys: [{ name: app, team: t, key: '${digestOf(KEY)}' }]
`;

let collector: Collector;
let desk: SimulatedDesk;
beforeEach(async () => {
  collector = await startCollector();
  vi.stubEnv('OTEL_EXPORTER_OTLP_ENDPOINT', collector.url);
  desk = await openSimulated('', REST, { tracing: await openTracing(process.env) });
});
afterEach(async () => {
  await collector.close();
  vi.unstubAllEnvs();
});

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
    for (const [vendor, name] of slow) desk.simulator.setFault({ name, vendor, args: name === 'slow' ? { firstByteMs: '1500' } : {} });
    const answer = await chat(desk, { ...HELLO, model: 'pair' });
    expect([answer.status, answer.headers.get('x-estafet-backend')]).toEqual([200, answered]);
    const { usage } = (await answer.json()) as { usage: { completion_tokens: number } };
    const used = (vendor: string): number => (vendor === answered ? usage.completion_tokens : 0);
    await desk.close();
    const [root, ...others] = collector.spans.filter(({ kind }) => kind === KIND.server);
    expect(others).toEqual([]);
    expect(root?.status.code).toBe(0);
    expect(root?.attributes).toMatchObject({ 'estafet.hedge': outcome, 'estafet.backend': answered, 'estafet.attempts': 2 });
    const calls = collector.spans
      .filter(({ kind }) => kind === KIND.client)
      .map(({ attributes, status }) => [
        attributes['estafet.backend'],
        attributes['estafet.attempt'],
        attributes['estafet.hedge'] ?? false,
        attributes['estafet.outrun'] ?? false,
        attributes['error.type'],
        status.code,
        attributes['gen_ai.usage.output_tokens'],
      ]);
    expect(calls.toSorted()).toEqual([
      ['glm', 1, true, answered !== 'glm', undefined, 0, used('glm')],
      ['qwen', 0, false, answered !== 'qwen', undefined, 0, used('qwen')],
    ]);
  },
);
