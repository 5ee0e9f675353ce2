import { describe, expect, test } from 'vitest';
import type { HedgeSettings } from '../../../config/config.ts';
import { Hedging, hedgedPlaces } from '../../../relay/routing/hedging.ts';
import { configOf } from '../../http/desk.ts';

const settings = (quantile: HedgeSettings['after']): HedgeSettings => ({ after: quantile, mostPercent: 10 });

function desk() {
  const clock = { ms: 0 };
  const hedging = new Hedging(() => clock.ms);
  const answers = (...waits: number[]): void => {
    for (const ms of waits) hedging.answered('a/m', true, ms);
  };
  const afterMs = (quantile: HedgeSettings['after'], stream = true, place = 'a/m') => hedging.afterMs(settings(quantile), place, stream);
  return { clock, hedging, answers, afterMs };
}
const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, index) => from + index);

describe('how long a candidate may be silent', () => {
  test.each([
    ['p90', 20],
    ['p95', 20],
    ['p99', 100],
  ] as const)('%s is known from %i answers on', (quantile, least) => {
    const { answers, afterMs } = desk();
    answers(...range(1001, 1000 + least - 1));
    expect(afterMs(quantile)).toBeNull();
    answers(1000 + least);
    expect(afterMs(quantile)).toBe(1000 + Math.ceil((least * Number(quantile.slice(1))) / 100));
  });

  test('streams and whole answers, and each place, are by themselves', () => {
    const { answers, afterMs } = desk();
    answers(...range(1001, 1100));
    expect([afterMs('p95'), afterMs('p95', false), afterMs('p95', true, 'b/m')]).toEqual([1095, null, null]);
  });

  test('never less than 0.1 s; milliseconds as they are written', () => {
    const { answers, afterMs } = desk();
    answers(...range(1, 30));
    expect([afterMs('p95'), afterMs(250, false, 'never/asked')]).toEqual([100, 250]);
  });

  test('of the last 200, in whatever order they came', () => {
    const { answers, afterMs } = desk();
    answers(...range(1, 150).map(() => 90_000));
    answers(...range(1001, 1200).toSorted((one, other) => (one % 7) - (other % 7)));
    expect([afterMs('p90'), afterMs('p95'), afterMs('p99')]).toEqual([1180, 1190, 1198]);
  });

  test('of ten minutes', () => {
    const { answers, afterMs, clock } = desk();
    answers(...range(1, 100).map(() => 5_000));
    clock.ms = 300_000;
    answers(...range(1, 20).map(() => 300));
    expect(afterMs('p95')).toBe(5_000);
    clock.ms = 600_001;
    expect(afterMs('p95')).toBe(300);
    clock.ms = 900_001;
    expect(afterMs('p95')).toBeNull();
  });

  test('calls that were cancelled count with the time they had: hedging does not hasten itself', () => {
    const { answers, afterMs, hedging } = desk();
    answers(...range(1001, 1100));
    const first = afterMs('p95') as number;
    // A vendor that stays as it is; what is beyond the quantile is cancelled there.
    for (let round = 0; round < 100; round++) {
      for (const ms of range(1001, 1100)) {
        const most = afterMs('p95') as number;
        if (ms > most) hedging.outrun('a/m', true, most);
        else answers(ms);
      }
    }
    expect(afterMs('p95')).toBeGreaterThanOrEqual(first - 10);
  });

  test('one that was cancelled when it had hardly begun says nothing', () => {
    const { answers, afterMs, hedging } = desk();
    answers(...range(1001, 1100));
    for (const ms of range(1, 100)) hedging.outrun('a/m', true, ms);
    expect(afterMs('p95')).toBe(1095);
  });

  test('a reload keeps what is known of places that stay', () => {
    const { answers, hedging } = desk();
    answers(...range(1001, 1100));
    for (const ms of range(1001, 1100)) hedging.answered('gone/m', true, ms);
    const next = new Hedging(() => 0);
    next.learnFrom(hedging, (place) => place === 'a/m');
    expect(['a/m', 'gone/m'].map((place) => next.afterMs(settings('p95'), place, true))).toEqual([1095, null]);
  });

  test('the places are those of entries with a hedge', () => {
    const config = configOf(
      `backends: { q: { vendor: qwen, apiKey: 'env:K' }, g: { vendor: glm, apiKey: 'env:K' } }
models: { plain: [q/plain, g/plain], m: { hedge: p95, to: [q/qwen-plus, g/glm-4.6] } }
`,
      { K: 'id.secret' },
    );
    expect([...hedgedPlaces(config)]).toEqual(['q/qwen-plus', 'g/glm-4.6']);
  });
});

describe('the budget', () => {
  const budgetOf = (mostPercent: number) => new Hedging(() => 0).budget({ after: 'p95', mostPercent });
  const spent = (budget: ReturnType<typeof budgetOf>): number => {
    let count = 0;
    while (budget.take()) count++;
    return count;
  };

  test.each([1, 7, 10, 50, 100])('%i of 100 requests, and one more', (mostPercent) => {
    const budget = budgetOf(mostPercent);
    let hedges = 0;
    for (let count = 0; count < 1_000; count++) {
      budget.earn();
      if (budget.take()) hedges++;
    }
    expect(hedges).toBe(mostPercent === 100 ? 1_000 : mostPercent * 10 + 1);
  });

  test('ten are kept at most', () => {
    const budget = budgetOf(100);
    for (let count = 0; count < 1_000; count++) budget.earn();
    expect(spent(budget)).toBe(10);
  });

  test('what was not used is there again', () => {
    const budget = budgetOf(1);
    expect(budget.take()).toBe(true);
    budget.giveBack();
    expect(spent(budget)).toBe(1);
  });

  test('one for all requests of an entry', () => {
    const hedging = new Hedging(() => 0);
    const [one, other] = [settings('p95'), settings('p95')];
    expect(hedging.budget(one)).toBe(hedging.budget(one));
    expect(hedging.budget(one)).not.toBe(hedging.budget(other));
  });
});
