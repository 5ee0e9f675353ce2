import { expect, test } from 'vitest';
import { auditLevels } from '../../../relay/quota/audit.ts';
import { describeStores } from './describe-stores.ts';
import { ask, budget, OWNER, slots, tpm, used } from './limits.ts';

describeStores('levels by their lines', (at) => {
  test('what comes back to a window long over is no drift', async () => {
    await at.store.reserve(ask('a', [budget(1000, 'hour'), 400]));
    at.clock.pass(26 * 3_600_000);
    await at.store.sweep(OWNER);
    const before = await at.store.listen(OWNER, 600_000);
    expect(await at.settle('a', used(0, 700))).toBe('corrected');
    expect(auditLevels(await at.store.lines(OWNER, 99), await at.store.levels(OWNER), before)).toEqual([]);
  });

  test('what ends between a snapshot and the reading of lines is taken once', async () => {
    const before = await at.store.listen(OWNER, 600_000);
    await at.store.reserve(ask('a', [slots(5), 1], [tpm(1000), 100]));
    const after = await at.store.levels(OWNER);
    await at.settle('a', used(30));
    expect(auditLevels(await at.store.lines(OWNER, 99), after, before)).toEqual([]);
  });

  test('a bucket says since when it is what it is, and is forgotten with it', async () => {
    const [start, hour] = [at.clock.us, `team/budget.hour.cny@${Math.floor(at.clock.us / 3_600_000_000) * 3_600_000}`];
    await at.store.reserve(ask('a', [budget(1000, 'hour'), 400], [tpm(1000), 100], [slots(5), 1]));
    at.clock.pass(1000);
    await at.store.reserve(ask('b', [budget(1000, 'hour'), 400], [tpm(1000), 100]));
    const begun = async () => Object.fromEntries((await at.store.levels(OWNER)).begun);
    expect(await begun()).toEqual({ [hour]: { atUs: start, fresh: true }, 'key/ci/tpm': { atUs: start, fresh: true } });
    at.clock.pass(1000);
    await at.store.reserve(ask('c', [tpm(2000), 5000]));
    expect(await begun()).toMatchObject({ 'key/ci/tpm': { atUs: start + 2_000_000, fresh: false } });
    at.clock.pass(8 * 86_400_000);
    await at.store.sweep(OWNER);
    expect(await begun()).toEqual({});
  });
});
