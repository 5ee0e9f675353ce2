import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { scorecard } from '../../cli/scorecard.ts';
import { configuredModels, liveCalls, liveCard } from '../../cli/scorecard-live.ts';
import { FEATURES } from '../../scorecard/features.ts';
import { type Simulator, startSimulator } from '../../simulator/simulator.ts';
import { configOf, digestOf } from '../http/desk.ts';

const picked = (...ids: readonly string[]) => FEATURES.filter(({ id }) => ids.includes(id));

let simulator: Simulator;
beforeAll(async () => {
  simulator = await startSimulator({ vendors: ['qwen'] });
});
beforeEach(() => simulator.reset());
afterAll(() => simulator.close());

const text = (): string => `backends:
  paid: { vendor: qwen, baseUrl: '${simulator.vendors.qwen?.baseUrl}', apiKey: 'env:PAID' }
  spare: { vendor: qwen, baseUrl: 'http://127.0.0.1:9', apiKey: 'env:PAID' }
models:
  gpt-4o: [paid/qwen-plus, spare/qwen-flash]
  gpt-4: [paid/qwen-max, paid/qwen-plus]
  text-embedding-3-small: [paid/text-embedding-v4]
teams: { t: { permit: { vendors: [qwen], regions: ['*'] } } }
keys: [{ name: k, team: t, key: '${digestOf('k'.repeat(20))}' }]
`;
const config = () => configOf(text(), { PAID: simulator.vendors.qwen?.key ?? '' });

test('the models that the file sends requests to', () => {
  const found = configuredModels(config(), {});
  expect(found.map(({ backend, model, kind, retired }) => [backend, model, kind, retired])).toEqual([
    ['paid', 'qwen-plus', 'chat', false],
    ['paid', 'qwen-max', 'chat', true],
    ['paid', 'text-embedding-v4', 'embedding', false],
    ['spare', 'qwen-flash', 'chat', false],
  ]);
  expect(configuredModels(config(), { backend: 'spare,none' }).map(({ model }) => model)).toEqual(['qwen-flash']);
  expect(configuredModels(config(), { backend: 'paid', model: 'qwen3-max' }).map(({ model }) => model)).toEqual(['qwen3-max']);
});

describe('a live card', () => {
  test('judges by answer and receipt, says so, and makes the calls it had told', async () => {
    const models = configuredModels(config(), { backend: 'paid' });
    const features = picked('tools-required', 'temperature', 'logit-bias', 'n-many', 'vendor-key', 'error-range', 'embed', 'image-url');
    const calls = liveCalls(models, features);
    const card = await liveCard(config(), models, features, Date.parse('2026-11-25T10:00:00Z'));
    expect(card).toMatchObject({ against: 'live', day: '2026-11-25' });
    const verdicts = Object.fromEntries(card.cells.map(({ feature, model, verdict }) => [`${feature}/${model}`, verdict]));
    expect(verdicts).toMatchObject({
      'tools-required/qwen-plus': 'exact',
      'temperature/qwen-plus': 'exact',
      'logit-bias/qwen-plus': 'degraded',
      'n-many/qwen-plus': 'emulated',
      'vendor-key/qwen-plus': 'untested',
      'image-url/qwen-plus': 'untested',
      'error-range/qwen-plus': 'exact',
      'tools-required/qwen-max': 'untested',
      'embed/text-embedding-v4': 'exact',
    });
    expect(card.cells.every(({ evidence }) => evidence.every(({ sent }) => sent === null))).toBe(true);
    expect(simulator.journal()).toHaveLength(calls['paid'] ?? 0);
    expect(JSON.stringify(card)).not.toContain(simulator.vendors.qwen?.key);
  });

  test('is not begun without --yes', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'estafet-card-'));
    const told = vi.spyOn(console, 'error').mockImplementation(() => {});
    vi.stubEnv('PAID', simulator.vendors.qwen?.key ?? '');
    try {
      const file = join(folder, 'card.yaml');
      writeFileSync(file, text());
      await scorecard({ config: file, live: true, backend: 'paid', feature: 'n-many' });
      expect(told.mock.calls.flat().join('\n')).toContain('about 6 calls to paid');
      expect(process.exitCode).toBe(1);
      expect(simulator.journal()).toHaveLength(0);
    } finally {
      process.exitCode = undefined;
      vi.unstubAllEnvs();
      told.mockRestore();
      rmSync(folder, { recursive: true });
    }
  });
});
