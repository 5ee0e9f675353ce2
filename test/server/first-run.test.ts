import { execFile, execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { promisify } from 'node:util';
import { afterEach, describe, expect, test } from 'vitest';
import { cleanUp, estafet, folder } from './process.ts';

afterEach(cleanUp);

describe('the first run', () => {
  test('without a file: a key and a line to try, which works; nothing is left in the folder', async () => {
    const cwd = folder({});
    const run = estafet(['--port', '0'], {}, cwd);
    const [curl] = await run.seen(/^ *curl .*$/m);
    const [, url = '', key = ''] = /curl (\S+) -H 'authorization: Bearer (\S+)'/.exec(curl) ?? [];
    const body = /-d '(.*)'$/.exec(curl)?.[1] ?? '';
    expect(key.length).toBeGreaterThan(30);
    const answer = await fetch(url, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body,
    });
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({ object: 'chat.completion', model: 'gpt-4o', choices: [{ finish_reason: 'stop' }] });
    if (hasCurl()) {
      const { stdout } = await promisify(execFile)('sh', ['-c', `${curl.trim()} -s`]);
      expect(JSON.parse(stdout)).toMatchObject({ object: 'chat.completion' });
    }
    // Every name of the built-in table is served.
    for (const model of ['gpt-4o-mini', 'gpt-4', 'gpt-3.5-turbo', 'gpt-4.1', 'gpt-5', 'o3', 'o1-mini', 'chatgpt-4o-latest', 'gpt-99']) {
      const one = await fetch(url, {
        method: 'POST',
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
        body: JSON.stringify({ model, messages: [{ role: 'user', content: 'x' }] }),
      });
      expect(one.status, model).toBe(200);
      await one.arrayBuffer();
    }
    for (const model of ['text-embedding-3-small', 'text-embedding-3-large', 'text-embedding-ada-002']) {
      const one = await fetch(url.replace('/chat/completions', '/embeddings'), {
        method: 'POST',
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
        body: JSON.stringify({ model, input: 'x' }),
      });
      expect([one.status, (await one.json()) as object], model).toMatchObject([200, { object: 'list', model }]);
    }
    run.child.kill('SIGTERM');
    expect(await run.exit).toBe(0);
    expect(readdirSync(cwd)).toEqual([]);
  });

  test('a taken port ends the simulator too', async () => {
    const taken: Server = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const { port } = taken.address() as { port: number };
    const failed = estafet(['--port', String(port)]);
    // `close` waits for all who hold the output: it comes only when the simulator has ended as well.
    expect(await failed.exit).toBe(1);
    expect(failed.stderr).toMatch(/the port is in use/);
    taken.close();
  });
});

function hasCurl(): boolean {
  try {
    execFileSync('sh', ['-c', 'command -v curl'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
