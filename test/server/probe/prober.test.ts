import { afterEach, expect, test } from 'vitest';
import { loadCatalog } from '../../../catalog/catalog.ts';
import type { Backend } from '../../../config/config.ts';
import { OpenAIError } from '../../../openai/errors.ts';
import type { BackendGate } from '../../../relay/quota/backend-gate.ts';
import type { RequestRecord } from '../../../relay/records/request-record.ts';
import { BackendHealth } from '../../../relay/routing/backend-health.ts';
import { Pass } from '../../../relay/routing/pass.ts';
import { DeadlineWheel } from '../../../relay/upstream/deadlines.ts';
import { Prober } from '../../../server/probe/prober.ts';
import { questionTo } from '../../../server/probe/question.ts';
import { startSimulator } from '../../../simulator/simulator.ts';
import { configOf } from '../../http/desk.ts';

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

/** A backend with two keys that failed, whose time has come, behind limits that say what they are told to. */
async function desk(full: () => OpenAIError | null, onProbed: () => void = () => undefined) {
  const simulator = await startSimulator({ vendors: ['qwen'] });
  ends.push(() => simulator.close());
  const { baseUrl, key } = simulator.vendors.qwen as { baseUrl: string; key: string };
  const config = configOf(
    `backends: { q: { vendor: qwen, baseUrl: '${baseUrl}', apiKeys: ['env:BAD', 'env:GOOD'], breaker: { failures: 1, openMs: 1000 }, probe: {} } }
models: {}
teams: {}
keys: []
`,
    { BAD: 'sk-bad', GOOD: key },
  );
  const backend = config.backends['q'] as Backend;
  const catalog = loadCatalog();
  let now = 0;
  let current = config;
  const health = new BackendHealth({ now: () => now, random: () => 0, onChange: () => undefined, isProbed: () => true });
  const wheel = new DeadlineWheel();
  const asked: unknown[] = [];
  const results: unknown[] = [];
  const gate: Pick<BackendGate, 'within' | 'limitsOf'> = {
    limitsOf: () => [],
    within: (_limits, { id, backend: { name }, calls }, _told, send) => {
      asked.push({ id, name, calls });
      const refusal = full();
      if (refusal !== null) return Promise.reject(refusal);
      return send().then((result) => {
        results.push(result);
        return result;
      });
    },
  };
  const records: RequestRecord[] = [];
  const faults: unknown[] = [];
  const prober = new Prober({
    current: () => ({ config: current, priceOf: () => null, probeQuestion: () => questionTo(catalog, backend, 'qwen-plus') as never }),
    health,
    gate,
    wheel,
    onProbed: (record) => {
      records.push(record);
      onProbed();
    },
    onFault: (fault) => void faults.push(fault),
  });
  ends.push(() => prober.stop());
  const enter = (): Pass => {
    const pass = health.enter({ backend, model: 'qwen-plus' });
    if (pass instanceof Pass) return pass;
    throw new Error(String(pass));
  };
  return {
    simulator,
    prober,
    records,
    asked,
    results,
    faults,
    enter,
    fail: (kind: 'upstream_timeout' | 'upstream_auth') => {
      const pass = enter();
      pass.failed(new OpenAIError(kind, ''));
      return pass.key;
    },
    wait: (ms: number) => {
      now += ms;
    },
    /** A reload takes the backend away. */
    remove: () => {
      current = { ...config, backends: {} };
    },
    /** Another one brings it back, as it was. */
    restore: () => {
      current = config;
    },
    look: async () => {
      prober.look();
      // Twice at once is once.
      prober.look();
      await prober.settled();
    },
  };
}

test('its limits are asked, and where they leave no room nothing is sent, booked or learned', async () => {
  let full: OpenAIError | null = new OpenAIError('backend_limit_requests', '');
  const { fail, wait, look, records, asked, simulator, enter } = await desk(() => full);
  fail('upstream_timeout');
  wait(1_000);
  await look();
  await look();
  expect([asked.length, records.length, simulator.journal().length]).toEqual([2, 0, 0]);
  expect(enter).toThrow();
  full = null;
  await look();
  expect(records).toMatchObject([{ surface: 'probe', attempts: [{ backend: 'q' }] }]);
});

test('a refused key is probed with that key, and what it is answered stands against it alone', async () => {
  const { fail, wait, look, records, simulator, enter } = await desk(() => null);
  expect([fail('upstream_auth'), fail('upstream_auth')]).toEqual([0, 1]);
  expect(enter).toThrow();
  wait(60_000);
  await look();
  expect(records.map(({ error }) => error?.code ?? null)).toEqual(['upstream_auth', null]);
  expect(simulator.journal()).toHaveLength(2);
  expect([enter().key, enter().key]).toEqual([1, 1]);
});

test('before its time, and when nothing is wrong, nothing is sent', async () => {
  const { fail, wait, look, asked } = await desk(() => null);
  await look();
  fail('upstream_timeout');
  wait(999);
  await look();
  expect(asked).toEqual([]);
});

test('a fault of our own is told, and the place is probed again', async () => {
  let broken = true;
  const { fail, wait, look, faults, records } = await desk(() => (broken ? (new Error('broken') as never) : null));
  fail('upstream_timeout');
  wait(1_000);
  await look();
  expect(faults).toMatchObject([{ message: 'broken' }]);
  broken = false;
  await look();
  expect(records).toHaveLength(1);
});

test('a backend that a reload takes away between two of its probes is not asked again', async () => {
  const { fail, wait, look, records, asked, simulator, remove } = await desk(
    () => null,
    () => remove(),
  );
  expect([fail('upstream_auth'), fail('upstream_auth')]).toEqual([0, 1]);
  wait(60_000);
  await look();
  expect([records.length, asked.length, simulator.journal().length]).toEqual([1, 1, 1]);
});

test('a backend that a reload takes away while its limits hold the probe is not asked: nothing is sent, booked or used, and it may be probed', async () => {
  const { fail, wait, look, records, asked, results, simulator, remove, restore, faults } = await desk(() => {
    remove();
    return null;
  });
  fail('upstream_timeout');
  wait(1_000);
  await look();
  expect([records.length, asked.length, simulator.journal().length]).toEqual([0, 1, 0]);
  // Such a result gives the reservation back.
  expect(results).toMatchObject([{ gone: true, paid: [] }]);
  expect(faults).toEqual([]);
  restore();
  await look();
  expect(asked).toHaveLength(2);
});
