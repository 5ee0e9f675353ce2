import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { type Sample, samplesOf } from '../server/telemetry/exposition.ts';
import { chat, configOf, digestOf, HELLO, KEY, openRelay, openSimulated } from './desk.ts';

/** What the alert asks for the increase of: a series that is born by its first failure has none. */
const { groups } = parse(readFileSync('deploy/prometheus/alerts.yaml', 'utf8')) as {
  groups: { rules: { alert: string; expr: string }[] }[];
};
const expr = groups.flatMap(({ rules }) => rules).find(({ alert }) => alert === 'EstafetBackendNeedsAdmin')?.expr ?? '';
const name = /^sum by \(backend, cause\) \(increase\((\w+)\[10m\]\)\) > 0$/.exec(expr.trim())?.[1] ?? '';

const counted = (all: readonly Sample[]): Record<string, number> =>
  Object.fromEntries(
    all.filter((sample) => sample.name === name).map(({ labels, value }) => [`${labels['backend']} ${labels['cause']}`, value]),
  );
const zeros = (...backends: readonly string[]): Record<string, number> =>
  Object.fromEntries(
    backends.flatMap((backend) =>
      ['upstream_auth', 'upstream_out_of_credit', 'upstream_model_unavailable'].map((cause) => [`${backend} ${cause}`, 0]),
    ),
  );
const read = async (url: string | null) => counted(samplesOf(await (await fetch(url as string)).text()));

test.each([
  ['dead-key', 'upstream_auth', {}],
  ['arrears', 'upstream_out_of_credit', {}],
  ['retired', 'upstream_model_unavailable', {}],
  // Callers may ask for what no entry of the configuration lists.
  ['dead-key', 'upstream_auth', { model: 'qwen/qwen-flash' }],
] as const)('%s: the first failure, %s, is an increase, whatever model %j is asked for', async (fault, cause, more) => {
  const desk = await openSimulated('metrics: { port: 0 }');
  const before = await read(desk.relay.metricsUrl);
  expect(before).toEqual(zeros('qwen', 'ernie', 'glm'));
  expect((await chat(desk)).status).toBe(200);
  expect(await read(desk.relay.metricsUrl)).toEqual(before);
  desk.simulator.setFault({ name: fault, vendor: 'qwen' });
  expect((await chat(desk, { ...HELLO, ...more })).status).toBeGreaterThan(500);
  expect(await read(desk.relay.metricsUrl)).toEqual({ ...before, [`qwen ${cause}`]: 1 });
  await desk.close();
});

test('a backend that a reload brings is counted from 0; what others have counted stays', async () => {
  const config = (...names: readonly string[]) =>
    configOf(
      `server: { port: 0, metrics: { port: 0 } }
backends: { ${names.map((backend) => `${backend}: { vendor: qwen, apiKey: 'env:Q' }`).join(', ')} }
keys: [{ name: k, team: t, key: '${digestOf(KEY)}' }]
teams: { t: {} }
`,
      { Q: 'sk-secret' },
    );
  const desk = await openRelay(config('one'));
  expect(await read(desk.relay.metricsUrl)).toEqual(zeros('one'));
  await desk.relay.apply(config('one', 'two'));
  expect(await read(desk.relay.metricsUrl)).toEqual(zeros('one', 'two'));
  await desk.close();
});
