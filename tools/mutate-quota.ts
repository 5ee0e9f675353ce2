import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/**
 * Breaks the quota engine in one way after the other, in a copy, and shows that its tests fail each time. Exit code 1 when one survives.
 * `npx node tools/mutate-quota.ts [part of a name]…`: with parts, only those whose name holds one of them.
 */
interface Mutation {
  /** The claim that is broken, and how. */
  readonly name: string;
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

const MUTATIONS: readonly Mutation[] = [
  { name: 'Q1 slots and rates short are admitted', file: 'lua/reserve.lua', from: 'not tooLarge and not shortest', to: 'not tooLarge' },
  { name: 'Q1 a refund lifts above the burst', file: 'lua/laws.lua', from: 'micro, -MOST)\n  settled(bucket)', to: 'micro, -MOST)' },
  { name: 'Q1 the refill drops its remainder', file: 'lua/laws.lua', from: 'part - whole * den', to: '0' },
  { name: 'Q1 a clock that steps back is believed', file: 'lua/laws.lua', from: 'if elapsed <= 0 then return end', to: '' },
  { name: 'Q1 numbers lose their last digits', file: 'lua/laws.lua', from: "string.format('%.0f', number)", to: 'tostring(number)' },
  { name: 'Q1 a whole day refills once', file: 'lua/laws.lua', from: 'bucket[LEVEL] + turns * num + whole', to: 'bucket[LEVEL] + whole' },
  { name: 'Q2 debts are forgiven', file: 'lua/laws.lua', from: 'micro, -MOST)', to: 'micro, 0)' },
  { name: 'Q3 a refusal writes its buckets', file: 'lua/reserve.lua', from: 'if admitted or changed[place] then', to: 'if true then' },
  { name: 'Q3 a refusal opens a reservation', file: 'lua/reserve.lua', from: 'if admitted then\n  seq', to: 'if not tooLarge then\n  seq' },
  { name: 'Q4 a known id is taken again', file: 'lua/reserve.lua', from: 'if known then\n  local', to: 'if false then\n  local' },
  { name: 'Q4 settled as often as asked', file: 'lua/settle.lua', from: 'if held and held[1] == CLOSED then return 2 end', to: '' },
  {
    name: 'Q4 no tombstone',
    file: 'lua/settle.lua',
    from: 'if not held then return 3 end',
    to: "if not held then redis.call('DEL', KEYS[2]) return 3 end",
  },
  { name: 'Q4 the late truth is not booked', file: 'lua/settle.lua', from: 'if apply(bucket', to: 'if not corrects and apply(bucket' },
  { name: 'Q4 the late truth gives slots back again', file: 'lua/settle.lua', from: 'kind == SLOTS and corrects', to: 'false' },
  { name: 'Q5 a sweep without a line', file: 'lua/sweeping.lua', from: 'if keepLines then', to: 'if false then' },
  {
    name: 'Q5 a settlement without a line',
    file: 'lua/settle.lua',
    from: 'if keepLines then\n    redis.call',
    to: 'if false then\n    redis.call',
  },
  {
    name: 'Q5 a taking nobody accounts for',
    file: 'lua/reserve.lua',
    from: 'move(bucket, -amount * MICRO)',
    to: 'move(bucket, -amount * MICRO - 1)',
  },
  { name: 'Q5 what a dead node had reserved is not kept', file: 'lua/sweeping.lua', from: '>= EXPIRIES', to: '>= ALL' },
  { name: 'Q5 lines are dropped under an auditor’s ears', file: 'lua/drop.lua', from: 'then return 0 end', to: 'then end' },
  { name: 'Q5 nobody hears an auditor', file: 'lua/laws.lua', from: 'if listen and tonumber(listen) > now then return ALL end', to: '' },
  { name: 'Q5 an auditor takes twice what ends while it reads', file: 'audit.ts', from: 'if (line.seq <= seq) found', to: 'found' },
  { name: 'Q5 a changed limit is taken for a new one', file: 'lua/reserve.lua', from: 'and now or -now', to: 'and now or now' },
  { name: 'Q4 ended leases stay in the store', file: 'expired-lines.ts', from: 'if (done.size > 0) await', to: 'if (false) await' },
  { name: 'Q6 leases never end', file: 'lua/sweeping.lua', from: "keys[3], '-inf', text(now)", to: "keys[3], '-inf', '0'" },
  { name: 'Q6 expired slots stay taken', file: 'lua/sweeping.lua', from: 'apply(bucket, now, amount, 0)', to: 'false' },
  { name: 'Q6 a renewal shortens a lease', file: 'lua/renew.lua', from: 'elseif tonumber(before) < deadline then', to: 'else' },
  {
    name: 'Q7 a changed limit starts full',
    file: 'lua/laws.lua',
    from: 'max(burst - (bucket[BURST] - bucket[LEVEL]), -MOST)',
    to: 'burst',
  },
  {
    name: 'Q7 a changed limit binds on admission only',
    file: 'lua/reserve.lua',
    from: 'if admitted or changed[place] then',
    to: 'if admitted then',
  },
  {
    name: 'Q8 a flushed script is given up',
    file: 'script.ts',
    from: 'return await client.eval(lua,',
    to: 'return await client.evalsha(sha,',
  },
  { name: 'Q8 a lost window is admitted without the books', file: 'lua/reserve.lua', from: 'if demand[SEED] < 0 and', to: 'if false and' },
  {
    name: 'Q9 answers thrown away are not counted',
    file: 'outcome-of.ts',
    from: '...thrown.map(',
    to: '...thrown.slice(thrown.length).map(',
  },
  {
    name: 'Q9 parallel calls pay the prompt once',
    file: 'outcome-of.ts',
    from: '...(result?.paid ?? [])',
    to: '...(result === null ? [] : [result.usage])',
  },
  {
    name: 'Q9 money thrown away is not counted',
    file: 'outcome-of.ts',
    from: 'amountNano: cost.amountNano + more.amountNano',
    to: 'amountNano: cost.amountNano',
  },
  {
    name: 'Q9 what failed after it was reached is given back',
    file: 'outcome-of.ts',
    from: 'if (result === null && !reachedBackend(attempts))',
    to: 'if (result === null)',
  },
  { name: 'R7 the wait is a microsecond short', file: 'lua/laws.lua', from: '- floor(-rest / num)', to: '+ floor(rest / num)' },
  {
    name: 'R7 the shortest wait is told',
    file: 'lua/reserve.lua',
    from: 'if waiting > longest then',
    to: 'if waiting > 0 and (longest == 0 or waiting < longest) then',
  },
  {
    name: 'R9 the node chooses the window',
    file: 'lua/reserve.lua',
    from: 'if now < demand[B] or now >= demand[C] then return { 4, now, place, 0 } end',
    to: '',
  },
  {
    name: 'windows: one bucket for all of them',
    file: 'plan.ts',
    from: 'windowBounds(law.per, law.timeZone, atMs)',
    to: '{ startMs: 0, endMs: 9e12 }',
  },
  {
    name: 'windows: days begin in UTC',
    file: 'window-bounds.ts',
    from: 'return Date.UTC(year, month - 1, day, hour, minute, second) -',
    to: 'return 0 * second -',
  },
  { name: 'Q8 a refused reservation is not given back', file: 'guarded-quota.ts', from: 'if (!outcome.ok && !silent)', to: 'if (false)' },
  { name: 'Q8 a failed settlement is dropped', file: 'unsent.ts', from: 'others.\n        this.#steps.set(name, step);', to: 'others.' },
  { name: 'Q8 every call pays the wait', file: 'store-breaker.ts', from: 'if (left > 0) throw', to: 'if (left > 1e9) throw' },
  {
    name: 'Q8 each node enforces the whole limit',
    file: 'share.ts',
    from: 'Math.floor(amount / nodes)',
    to: 'Math.floor(amount + 0 * nodes)',
  },
  { name: 'Q8 an alone node thinks it knows all', file: 'node-count.ts', from: '#count = Number.POSITIVE_INFINITY', to: '#count = 1' },
  { name: 'Q8 dead nodes are counted for ever', file: 'lua/node-count.lua', from: 'now - ARGV[2]', to: "'-1'" },
  { name: 'Q8 a busy process takes its lateness for a loss', file: 'store-breaker.ts', from: 'PARTS = 5', to: 'PARTS = 1' },
  { name: 'Q8 settlements pile up without bound', file: 'unsent.ts', from: 'this.#steps.size >= this.#most', to: 'false' },
  { name: 'Q8 an emptied store begins with an old sum', file: 'spent-cache.ts', from: 'askedAt < slowMs', to: 'askedAt < 0' },
  {
    name: 'Q8 the policy is not the team’s',
    file: 'caller-limits.ts',
    from: 'onStoreLoss = team.onStoreLoss',
    to: "onStoreLoss = 'admit'",
  },
  { name: 'Q8 what a Cluster has moved is not followed', file: 'script.ts', from: '|^(?:MOVED|ASK|TRYAGAIN|CLUSTERDOWN) ', to: '' },
  { name: 'Q6 nobody sweeps for a silent team', file: 'sweeper.ts', from: 'await store.sweep(owner)', to: 'owner' },
  {
    name: 'a vendor’s absurd count is passed on',
    file: 'gate.ts',
    from: 'Math.min(expected.prompt + expected.completion, MOST_RATE)',
    to: 'expected.prompt + expected.completion',
  },
  { name: 'estimate: hits lower as much as misses lift', file: 'upper-tracker.ts', from: '(1 - COVER), this', to: 'COVER, this' },
  {
    name: 'estimate: one outlier moves it as far as it likes',
    file: 'upper-tracker.ts',
    from: 'this.#step * COVER;',
    to: 'seen / this.#value;',
  },
  { name: 'estimate: made-up models get memory', file: 'calibration.ts', from: 'if (!this.#options.known(served)) return null;', to: '' },
  { name: 'estimate: pictures count as text', file: 'calibration.ts', from: 'size.images > 0 ? null : ', to: '' },
  {
    name: 'memory: debts are forgiven',
    file: 'bucket.ts',
    from: 'bucket.level + microUnits, -MOST_MICRO',
    to: 'bucket.level + microUnits, 0',
  },
  { name: 'memory: settled as often as asked', file: 'memory-owner.ts', from: "if (known?.state === 'closed') return 'already';", to: '' },
  { name: 'memory: a refusal takes', file: 'memory-owner.ts', from: 'view.keep(admitted)', to: 'view.keep(true)' },
  {
    name: 'memory: a reused id is forgotten while open',
    file: 'memory-owner.ts',
    from: " && known.state !== 'open' && known.forgetAt === closing.forgetAt",
    to: '',
  },
  {
    name: 'models: an entry shares the bucket of all requests',
    file: 'limits.ts',
    from: 'return scope.model === undefined ? own :',
    to: 'return true ? own :',
  },
  {
    name: 'models: patterns match nothing',
    file: 'model-entries.ts',
    from: 'return this.#exact.get(asked) ??',
    to: 'return this.#exact.get(asked) ?? undefined; //',
  },
  { name: 'models: a pattern comes before the exact name', file: 'model-entries.ts', from: 'this.#exact.get(asked) ?? this', to: 'this' },
  { name: 'models: a budget begins with what all models spent', file: 'model-entries.ts', from: 'this.find(asked) === entry', to: 'true' },
  { name: 'backends: what never left is settled', file: 'backend-gate.ts', from: 'if (!reached) {', to: 'if (false) {' },
  { name: 'backends: what the vendor saw is released', file: 'backend-gate.ts', from: 'if (!reached) {', to: 'if (true) {' },
  {
    name: 'backends: released twice',
    file: 'backend-gate.ts',
    from: 'this.#quota.release(owner, id);',
    to: 'this.#quota.release(owner, id);\n      setImmediate(() => this.#quota.release(owner, id));',
  },
  {
    name: 'backends: a failed attempt keeps its slot',
    file: 'backend-gate.ts',
    from: 'this.#settle(asked, reachedVendor(error)',
    to: 'void (asked, reachedVendor(error)',
  },
  {
    name: 'backends: one slot for parallel calls',
    file: 'backend-gate.ts',
    from: "measure === 'concurrency' ? atOnce :",
    to: "measure === 'concurrency' ? 1 :",
  },
  { name: 'backends: the next one is not tried', file: 'refusal.ts', from: 'limit: limit.name, fallback: true', to: 'limit: limit.name' },
  {
    name: 'backends: each process has the whole limit while the store is gone',
    file: 'backend-gate.ts',
    from: "reserve(request, 'local')",
    to: "reserve(request, 'admit')",
  },
  {
    name: 'backends: an attempt takes the place of its request',
    file: 'guarded-quota.ts',
    from: 'this.#open.set(',
    to: 'this.#open.clear(), this.#open.set(',
  },
];

const root = resolve(import.meta.dirname, '..');
const copy = mkdtempSync(join(tmpdir(), 'estafet-mutants-'));

function tested(): { readonly pass: boolean; readonly said: string } {
  const vitest = join(root, 'node_modules/vitest/vitest.mjs');
  const { status, stdout } = spawnSync(process.execPath, [vitest, 'run', '--bail=1', 'test/relay/quota'], { cwd: copy, encoding: 'utf8' });
  return { pass: status === 0, said: stdout };
}

try {
  for (const path of [
    'catalog',
    'config',
    'openai',
    'relay',
    'server',
    'translators',
    'server/redis-connection.ts',
    'test/relay/quota',
    'test/free-port.ts',
    'test/services.ts',
    'package.json',
    'tsconfig.json',
    'vitest.config.ts',
  ]) {
    cpSync(join(root, path), join(copy, path), { recursive: true });
  }
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
  const { pass, said } = tested();
  if (!pass) throw new Error(`The tests fail without any mutation: nothing can be shown.\n${said}`);
  const parts = process.argv.slice(2);
  const wanted = MUTATIONS.filter(({ name }) => parts.length === 0 || parts.some((part) => name.includes(part)));
  let survivors = 0;
  for (const { name, file, from, to } of wanted) {
    const path = join(copy, 'relay/quota', file);
    const text = readFileSync(path, 'utf8');
    if (text.split(from).length !== 2) throw new Error(`${name}: the text to replace is not once in ${file}.`);
    writeFileSync(
      path,
      text.replace(from, () => to),
    );
    const survived = tested().pass;
    if (survived) survivors++;
    console.log(`${survived ? 'SURVIVED' : 'caught  '}  ${name}`);
    writeFileSync(path, text);
  }
  console.log(`${wanted.length - survivors} of ${wanted.length} mutations caught`);
  process.exitCode = survivors > 0 || wanted.length === 0 ? 1 : 0;
} finally {
  rmSync(copy, { recursive: true, force: true });
}
