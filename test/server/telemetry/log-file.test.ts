import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { LogFile } from '../../../server/telemetry/log-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'estafet-log-'));
afterAll(() => rmSync(folder, { recursive: true }));

const flushed = (log: LogFile): Promise<void> => new Promise((resolve) => log.flush(resolve));

/** A disk that takes as many bytes of each write as it is told, or fails with a code. */
function disk() {
  const taken: Buffer[] = [];
  const faults: string[] = [];
  const outcomes: (number | string)[] = [];
  const take = (bytes: Buffer): number => {
    const outcome = outcomes.shift() ?? bytes.length;
    if (typeof outcome === 'string') throw Object.assign(new Error(outcome), { code: outcome });
    taken.push(Buffer.from(bytes.subarray(0, outcome)));
    return Math.min(outcome, bytes.length);
  };
  const log = new LogFile(99, {
    onFault: ({ code = '' }) => void faults.push(code),
    calls: {
      closeSync: () => void taken.push(Buffer.from('closed')),
      writeSync: ((_file: number, bytes: Buffer) => take(bytes)) as typeof import('node:fs').writeSync,
      write: (_file, bytes, done) =>
        setImmediate(() => {
          try {
            done(null, take(bytes));
          } catch (error) {
            done(error as NodeJS.ErrnoException, 0);
          }
        }),
    },
  });
  return { log, faults, outcomes, text: () => Buffer.concat(taken).toString('utf8') };
}

test('lines are in the file in their order once it is flushed, many or few', async () => {
  const path = join(folder, 'log');
  const file = openSync(path, 'a');
  const log = new LogFile(file, { onFault: (error) => expect.unreachable(error.message) });
  const lines = Array.from({ length: 5000 }, (_, index) => `{"line":${index},"text":"中文 ✓"}\n`);
  for (const [index, line] of lines.entries()) {
    log.write(line);
    if (index % 1000 === 0) await flushed(log);
  }
  await flushed(log);
  expect(readFileSync(path, 'utf8')).toBe(lines.join(''));
  closeSync(file);
});

describe('at its end what waits is written, and the file is closed after it', () => {
  test('at once', () => {
    const { log, outcomes, text } = disk();
    outcomes.push(2);
    log.write('one\n');
    log.write('two\n');
    log.close();
    expect(text()).toBe('one\ntwo\nclosed');
  });

  test.each<[string, (number | string)[], string]>([
    ['while a batch is being written', [], 'one\ntwo\nclosed'],
    ['while a part of a batch is being written', [1], 'one\ntwo\nclosed'],
    ['while a batch fails', ['EAGAIN'], 'one\ntwo\nclosed'],
    ['where nothing can be written', ['ENOSPC', 'ENOSPC'], 'closed'],
  ])('%s', async (_, next, expected) => {
    const { log, outcomes, text } = disk();
    outcomes.push(...next);
    log.write('one\n');
    const written = flushed(log);
    log.write('two\n');
    log.close();
    expect(text()).toBe('');
    await written;
    expect(text()).toBe(expected);
  });
});

test('a full disk throws nothing, tells it once, and the flush ends', async () => {
  const file = openSync('/dev/full', 'w');
  const faults: (string | undefined)[] = [];
  const log = new LogFile(file, { onFault: ({ code }) => void faults.push(code) });
  for (let round = 0; round < 3; round++) {
    log.write('{"a":1}\n');
    await flushed(log);
  }
  expect(faults).toEqual(['ENOSPC']);
  closeSync(file);
});

describe('once there is room again', () => {
  test.each<[string, (number | string)[], string[]]>([
    ['a write that fails', ['ENOSPC'], ['ENOSPC']],
    ['one that takes a part of a line, then fails', [3, 'ENOSPC', 'ENOSPC'], ['ENOSPC']],
    ['one that takes a part of a character', [1, 1, 1, 1], []],
    ['a reader that is slow', ['EAGAIN', 'EAGAIN'], []],
    ['a reader that has gone, and another', ['EPIPE'], ['EPIPE']],
    ['two outages', ['ENOSPC', 2, 'ENOSPC'], ['ENOSPC', 'ENOSPC']],
  ])('after %s each line is there once, whole', async (_, outcomes, faults) => {
    const { log, outcomes: next, faults: told, text } = disk();
    next.push(...outcomes);
    for (let line = 0; line < 6; line++) {
      log.write(`✓ ${line}\n`);
      await flushed(log);
    }
    expect(next).toEqual([]);
    expect(text()).toBe('✓ 0\n✓ 1\n✓ 2\n✓ 3\n✓ 4\n✓ 5\n');
    expect(told).toEqual(faults);
  });

  test('what did not fit into the memory kept for it is counted in a line of its own', async () => {
    const { log, outcomes, text } = disk();
    const line = `${'x'.repeat(1023)}\n`;
    const tries = 9 * 1024;
    // Refused for as long as lines come: the first batch, and what is tried by flushes.
    outcomes.push('ENOSPC', 'ENOSPC');
    for (let index = 0; index < tries; index++) log.write(line);
    await flushed(log);
    await flushed(log);
    log.write('after\n');
    await flushed(log);
    await flushed(log);
    const lines = text().trimEnd().split('\n');
    const said = lines.filter((one) => one.startsWith('{'));
    expect(said).toHaveLength(1);
    const { lost, msg } = JSON.parse(said[0] as string) as { lost: number; msg: string };
    expect(msg).toContain('lost');
    expect(lost).toBeGreaterThan(900);
    // Each line was either written or counted; `after` came while there was still no room.
    expect(lines.length - said.length + lost).toBe(tries + 1);
  });
});
