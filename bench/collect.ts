import { writeFileSync } from 'node:fs';

/**
 * Loaded into a process whose memory is measured, `node --expose-gc --import ./bench/collect.ts …`: on SIGUSR2 it collects its garbage and
 * writes how many bytes it still needs into the file that `BENCH_LIVE` names.
 */
const file = process.env['BENCH_LIVE'];
const collect = globalThis.gc;
if (file === undefined || collect === undefined) throw new Error('bench/collect.ts needs BENCH_LIVE and --expose-gc');
process.on('SIGUSR2', () => {
  collect();
  // `external` has array buffers in it.
  const { heapUsed, external } = process.memoryUsage();
  writeFileSync(file, `${heapUsed + external}\n`);
});
