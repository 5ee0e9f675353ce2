import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { childEnv } from '../child-env.ts';

const CLI = fileURLToPath(new URL('../../cli/cli.js', import.meta.url));

export interface Run {
  readonly child: ChildProcess;
  stdout: string;
  stderr: string;
  /** Exit code, or the signal's name. */
  readonly exit: Promise<number | string>;
  /** Waits until the output holds the pattern; throws if the process ends before, or after 20 s. */
  seen(pattern: RegExp): Promise<RegExpExecArray>;
}

const running = new Set<ChildProcess>();
const folders: string[] = [];

interface EstafetOptions {
  readonly script?: string;
  readonly stdout?: 'pipe' | number;
  readonly by?: readonly string[];
}

/** `estafet …` as a process of its own, in an empty folder, with no other environment than is given; `stdout` is an open file, `by` what starts it. */
export function estafet(
  args: readonly string[],
  env: Record<string, string> = {},
  cwd = folder({}),
  { script = CLI, stdout = 'pipe', by = [] }: EstafetOptions = {},
): Run {
  const [command = process.execPath, ...rest] = [...by, process.execPath, script, ...args];
  const child = spawn(command, rest, {
    cwd,
    env: { ...childEnv(), ...env },
    stdio: ['ignore', stdout, 'pipe'],
  });
  running.add(child);
  const exit = Promise.withResolvers<number | string>();
  child.on('close', (code, signal) => {
    running.delete(child);
    exit.resolve(code ?? signal ?? 'unknown');
  });
  const run: Run = {
    child,
    stdout: '',
    stderr: '',
    exit: exit.promise,
    seen: (pattern) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const match = pattern.exec(run.stdout) ?? pattern.exec(run.stderr);
          if (match !== null) done(() => resolve(match));
        };
        const fail = (why: string): void => done(() => reject(new Error(`${why} before ${pattern}: ${run.stdout}${run.stderr}`)));
        const ended = (): void => fail('it ended');
        const timer = setTimeout(() => fail('20 s passed'), 20_000);
        const done = (then: () => void): void => {
          clearTimeout(timer);
          child.stdout?.off('data', look);
          child.stderr?.off('data', look);
          child.off('close', ended);
          then();
        };
        child.stdout?.on('data', look);
        child.stderr?.on('data', look);
        child.on('close', ended);
        look();
      }),
  };
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    run.stdout += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    run.stderr += text;
  });
  return run;
}

/** A folder with these files, gone after `cleanUp`. */
export function folder(files: Record<string, string>): string {
  const path = mkdtempSync(join(tmpdir(), 'estafet-test-'));
  folders.push(path);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(path, name), text);
  return path;
}

/** Ends what this file started, and nothing else. */
export async function cleanUp(): Promise<void> {
  const ended = [...running].map((child) => new Promise((resolve) => child.once('close', resolve)));
  for (const child of running) child.kill('SIGKILL');
  await Promise.all(ended);
  for (const path of folders.splice(0)) rmSync(path, { recursive: true, force: true });
}
