import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { Children } from './children.ts';
import { microsPerTick, parseCores, pinAll } from './cpu.ts';
import { measureCpu } from './measure-cpu.ts';
import { measureMemory } from './measure-memory.ts';
import { FULL, QUICK } from './plan.ts';
import { measureQuota } from './quota.ts';
import { startRedis } from './redis.ts';
import { machineOf, perChunk, perPaced, perRequest, report, summaryOf } from './report.ts';
import { measureRouting } from './routing.ts';
import { measureTranslation } from './translate.ts';

/** Two cores: the first for the target, the second for mock and load; null where that cannot be had. */
function cores(): { readonly target: number; readonly load: number } | null {
  const [target, load] = parseCores(readFileSync('/proc/self/status', 'latin1'));
  if (target === undefined || load === undefined) return null;
  // This process is the load, and the mock inherits from it. All threads: some are running already.
  return pinAll(process.pid, load) ? { target, load } : null;
}

/**
 * What a request and a streamed chunk cost in CPU, and what an open stream costs in memory: the relay beside the least that Node and
 * Express can do, all in front of one mock. Prints figures and judges none of them; exit code 1 only when something could not be measured
 * or an answer was wrong.
 *
 *   npm run bench -- [--quick] [--json] [--rounds N] [--no-build]
 *   npm run bench -- quota      reservations and settlements in a Redis of its own, against bare EVALSHA
 *   npm run bench -- routing    choosing among three candidates, by each strategy
 *   npm run bench -- translate  translation by itself; exit code 1 also when a step is not linear
 */
async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      quick: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      'no-build': { type: 'boolean', default: false },
    },
  });
  const say = (line: string): void => console.error(`bench: ${line}`);
  const [part, ...more] = positionals;
  if ((part !== undefined && part !== 'quota' && part !== 'translate' && part !== 'routing') || more.length > 0) {
    throw new Error('the parts that can be named are quota, routing and translate');
  }
  if (part === 'translate') {
    console.log(measureTranslation(machineOf(null), say));
    return;
  }
  if (part === 'routing') {
    console.log(measureRouting(machineOf(null)));
    return;
  }
  const tick = microsPerTick();
  if (part === 'quota') {
    console.log(await measureQuota(machineOf(cores()), tick, say));
    return;
  }
  const base = values.quick ? QUICK : FULL;
  const plan = { ...base, rounds: values.rounds === undefined ? base.rounds : Number(values.rounds) };
  if (!(Number.isInteger(plan.rounds) && plan.rounds > 0)) throw new Error('--rounds must be a whole number from 1');

  if (!values['no-build']) execFileSync(process.execPath, ['tools/build.ts', '--if-stale'], { stdio: ['ignore', 2, 2] });
  const pinned = cores();
  const children = new Children();
  try {
    const mock = await children.start(pinned?.load ?? null, ['bench/mock.ts', '--chunks', String(plan.chunks)]);
    const redis = await startRedis(pinned?.load ?? null, children.folder);
    if (redis === null) say('redis-server is not installed: limits in Redis are not measured');
    const place = { children, mock: mock.origin, core: pinned?.target ?? null, redisPort: redis?.port ?? null, say };
    const cpu = await measureCpu(plan, place, tick);
    const memory = await measureMemory(plan, place);
    redis?.stop();
    const machine = machineOf(pinned);
    const micros = { perPaced: summaryOf(cpu, perPaced), perRequest: summaryOf(cpu, perRequest), perChunk: summaryOf(cpu, perChunk) };
    console.log(values.json ? JSON.stringify({ machine, plan, micros, cpu, memory }, null, 2) : report(machine, plan, cpu, memory));
  } finally {
    children.closeAll();
  }
}

main().catch((error: unknown) => {
  console.error('bench:', error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
