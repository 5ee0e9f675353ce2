import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { startSimulator } from '../../simulator/simulator.ts';

const MAIN = new URL('../../simulator/main.ts', import.meta.url).pathname;
const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) if (child.exitCode === null) child.kill('SIGKILL');
});

interface Ready {
  readonly ready: boolean;
  readonly admin: string;
  readonly vendors: Record<string, { url: string; baseUrl: string; key: string; regions: string[] }>;
}

function run(args: readonly string[], ipc = false): { child: ChildProcess; output: () => string; errors: () => string } {
  const child = ipc
    ? fork(MAIN, [...args], { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] })
    : spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  children.push(child);
  let output = '';
  let errors = '';
  child.stdout?.on('data', (part: Buffer) => {
    output += part.toString();
  });
  child.stderr?.on('data', (part: Buffer) => {
    errors += part.toString();
  });
  return { child, output: () => output, errors: () => errors };
}

async function firstLine(started: ReturnType<typeof run>): Promise<Ready> {
  await expect.poll(() => started.output(), { timeout: 10_000 }).toContain('\n');
  return JSON.parse(started.output()) as Ready;
}

describe('the process', () => {
  test('says where it listens, answers, and leaves cleanly on SIGTERM', async () => {
    const started = run(['--quiet']);
    const ready = await firstLine(started);
    expect(ready.ready).toBe(true);
    expect(Object.keys(ready.vendors)).toEqual(['qwen', 'ernie', 'glm']);
    expect(Object.values(ready.vendors).map(({ url, baseUrl }) => baseUrl.slice(url.length))).toEqual([
      '/compatible-mode/v1',
      '/v2',
      '/api/paas/v4',
    ]);
    expect(await (await fetch(`${ready.admin}/health`)).json()).toEqual({ status: 'ok', vendors: ['qwen', 'ernie', 'glm'] });
    for (const { baseUrl, key } of Object.values(ready.vendors)) {
      const response = await fetch(`${baseUrl}/chat/completions`, {
        method: 'POST',
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
        body: JSON.stringify({ model: 'no-such-model', messages: [{ role: 'user', content: 'Hello' }] }),
      });
      expect(response.status).toBeGreaterThanOrEqual(400);
      expect(response.status).toBeLessThan(500);
      await response.text();
    }
    started.child.kill('SIGTERM');
    expect((await once(started.child, 'exit'))[0]).toBe(0);
    expect(started.errors()).toBe('');
  });

  test('tells its parent by IPC, and ends when the parent is gone', async () => {
    const started = run(['--vendors', 'qwen'], true);
    const [message] = (await once(started.child, 'message')) as [Ready];
    expect(Object.keys(message.vendors)).toEqual(['qwen']);
    started.child.disconnect();
    expect((await once(started.child, 'exit'))[0]).toBe(0);
  });

  test.each([
    [['--nope'], '--nope'],
    [['--vendors', 'acme'], 'unknown vendor "acme"; known: qwen, ernie, glm'],
    [['--vendors', 'qwen,qwen'], 'named twice'],
    [['--port', 'x'], 'not a port'],
    [['--port', '65535'], 'not a port'],
    [['extra'], 'extra'],
  ])('%j: message and exit code 2', async (args, message) => {
    const started = run(args);
    expect((await once(started.child, 'close'))[0]).toBe(2);
    expect(started.errors()).toContain(message);
    expect(started.output()).toBe('');
  });

  test('a taken port: one line and exit code 1', async () => {
    const blocker = createServer().listen(0, '127.0.0.1');
    await once(blocker, 'listening');
    const { port } = blocker.address() as AddressInfo;
    const started = run(['--port', String(port), '--vendors', 'qwen']);
    expect((await once(started.child, 'close'))[0]).toBe(1);
    expect(started.errors().trim().split('\n')).toEqual([expect.stringMatching(/port \d+ on 127\.0\.0\.1 is already in use/)]);
    blocker.close();
  });
});

describe('in-process', () => {
  test('ports follow each other; a taken one leaves nothing behind', async () => {
    const first = await startSimulator({ vendors: ['qwen'] });
    const port = Number(new URL(first.admin).port);
    await expect(startSimulator({ vendors: ['qwen', 'glm'], port: port - 1 })).rejects.toThrow(/EADDRINUSE/);
    await first.close();
    const second = await startSimulator({ vendors: ['qwen'], port: port - 1 }).catch((error: unknown) => error);
    if (second instanceof Error) return; // another program took the port in between
    const simulator = second as Awaited<ReturnType<typeof startSimulator>>;
    expect([simulator.vendors.qwen?.url, simulator.admin].map((url) => Number(new URL(url ?? '').port))).toEqual([port - 1, port]);
    await simulator.close();
  });

  test('an unknown vendor or fault is refused by name', async () => {
    await expect(startSimulator({ vendors: ['acme' as 'qwen'] })).rejects.toThrow('unknown vendor "acme"');
    const simulator = await startSimulator({ vendors: ['qwen'] });
    expect(() => simulator.setFault({ name: 'nope' })).toThrow('unknown fault "nope"');
    expect(simulator.setFault({ name: 'overload', times: 1 })).toMatch(/^fault-/);
    simulator.clearFaults();
    await simulator.close();
  });
});
