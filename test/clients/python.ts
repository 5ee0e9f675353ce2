import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { pythonSdk } from '../services.ts';

type Json = Readonly<Record<string, unknown>>;

/** What an app would see of an exception. */
export interface Raised {
  /** Name of its class. */
  readonly type: string;
  readonly status: number | null;
  readonly code: string | null;
  readonly param: string | null;
  readonly request_id: string | null;
  readonly message: string;
}

/** A Python process with OpenAI's SDK in it; `openai_client.py` says what its features do. */
export interface Python {
  /** Version of the SDK. */
  readonly version: string;
  /** @throws Error when Python raised: its exception is in `cause` */
  ask(feature: string, task: Json): Promise<Record<string, unknown>>;
  /** What was raised. @throws Error when nothing was */
  fail(feature: string, task: Json): Promise<Raised>;
  close(): Promise<void>;
}

interface Outcome {
  readonly id: number;
  readonly result?: Record<string, unknown>;
  readonly raised?: Raised;
}

export async function startPython(): Promise<Python> {
  const program = pythonSdk();
  if (program === null) throw new Error("OpenAI's SDK for Python is missing: npm test installs it where there is a Python");
  const child = spawn(program, ['-u', new URL('openai_client.py', import.meta.url).pathname], { stdio: ['pipe', 'pipe', 'inherit'] });
  const waiting = new Map<number, (outcome: Outcome) => void>();
  let count = 0;
  const version = await new Promise<string>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => {
      reject(new Error(`Python ended with ${code}`));
      for (const settle of waiting.values()) settle({ id: 0, raised: ended(code) });
    });
    createInterface({ input: child.stdout }).on('line', (line) => {
      const said = JSON.parse(line) as Outcome & { version?: string };
      if (said.version !== undefined) resolve(said.version);
      waiting.get(said.id)?.(said);
      waiting.delete(said.id);
    });
  });
  const send = (feature: string, task: Json): Promise<Outcome> =>
    new Promise((resolve) => {
      const id = ++count;
      waiting.set(id, resolve);
      child.stdin.write(`${JSON.stringify({ ...task, id, feature })}\n`);
    });
  return {
    version,
    ask: async (feature, task) => {
      const { result, raised } = await send(feature, task);
      if (raised !== undefined) throw new Error(`${feature} raised ${raised.type}: ${raised.message}`, { cause: raised });
      return result as Record<string, unknown>;
    },
    fail: async (feature, task) => {
      const { result, raised } = await send(feature, task);
      if (raised === undefined) throw new Error(`${feature} raised nothing: ${JSON.stringify(result)}`);
      return raised;
    },
    close: () => close(child),
  };
}

const ended = (code: number | null): Raised => ({
  type: 'Exit',
  status: null,
  code: null,
  param: null,
  request_id: null,
  message: `Python ended with ${code}`,
});

function close(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    child.once('exit', () => resolve());
    child.kill();
  });
}
