import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { freePort, portOpen } from '../free-port.ts';
import { KEY } from '../http/desk.ts';
import { cleanUp, estafet, folder } from './process.ts';

import { ENV, FILE, listening } from './relay-file.ts';

afterEach(cleanUp);

describe('serve', () => {
  test('a bad file: exit code 1, and nothing listens', async () => {
    const port = await freePort();
    const run = estafet(['serve', '--config', 'f.yaml', '--port', String(port)], ENV, folder({ 'f.yaml': `${FILE(port)}nope: 1\n` }));
    expect(await run.exit).toBe(1);
    expect(run.stderr).toMatch(/nope/);
    expect(run.stderr).toMatch(/f\.yaml: 1 problem\.$/m);
    expect(await portOpen(port)).toBe(false);
  });

  test('a key that cannot sign is told before anything listens', async () => {
    const text = FILE(0).replace('vendor: qwen', 'vendor: glm, auth: jwt').replace('vendors: [qwen]', 'vendors: [glm]');
    const run = estafet(['serve', '--config', 'f.yaml'], { BACKEND_KEY: 'no-dot-in-it' }, folder({ 'f.yaml': text }));
    expect(await run.exit).toBe(1);
    expect(run.stderr).toMatch(/id\.secret/);
    expect(run.stderr).not.toMatch(/cannot listen/);
    expect(run.stderr).not.toContain('no-dot-in-it');
  });

  test('a taken port: one clear line, exit code 1', async () => {
    const taken: Server = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const { port } = taken.address() as { port: number };
    const run = estafet(['serve', '--config', 'f.yaml'], ENV, folder({ 'f.yaml': FILE(port) }));
    expect(await run.exit).toBe(1);
    expect(run.stderr.trim()).toBe(`estafet: cannot listen on 127.0.0.1:${port}: the port is in use. Choose another with --port or PORT.`);
    taken.close();
  });

  test('a taken port of the metrics: the line names it and its key', async () => {
    const taken: Server = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const { port } = taken.address() as { port: number };
    const run = estafet(['serve', '--config', 'f.yaml'], ENV, folder({ 'f.yaml': FILE(0, `, metrics: { port: ${port} }`) }));
    expect(await run.exit).toBe(1);
    expect(run.stderr.trim()).toBe(`estafet: cannot listen on 127.0.0.1:${port}: the port is in use. Set another server.metrics.port.`);
    taken.close();
  });

  test('an address that is not this machine\u2019s', async () => {
    const run = estafet(['serve', '--config', 'f.yaml', '--host', '192.0.2.1'], ENV, folder({ 'f.yaml': FILE(0) }));
    expect(await run.exit).toBe(1);
    expect(run.stderr).toMatch(/does not have that address/);
  });

  test('options before environment before file; the default file is found', async () => {
    const [file, env, option] = [await freePort(), await freePort(), await freePort()];
    const cwd = folder({ 'estafet.yaml': FILE(file) });
    for (const [args, more, port] of [
      [[], {}, file],
      [[], { PORT: String(env) }, env],
      [['serve', '-p', String(option)], { PORT: String(env) }, option],
      [['-p', String(option), '--host', '127.0.0.1'], { HOST: '192.0.2.1' }, option],
    ] as const) {
      const run = estafet(args, { ...ENV, ...more }, cwd);
      expect(await listening(run)).toBe(`http://127.0.0.1:${port}`);
      run.child.kill('SIGTERM');
      expect(await run.exit).toBe(0);
    }
  });

  test('SIGHUP while it starts: it starts, and then reads the file again', async () => {
    const cwd = folder({ 'f.yaml': FILE(0, ', watchFiles: false').replace('env:BACKEND_KEY', 'file:key') });
    const pipe = join(cwd, 'key');
    execFileSync('mkfifo', [pipe]);
    const run = estafet(['serve', '--config', 'f.yaml'], {}, cwd);
    // Opening it ends when the relay reads it.
    const first = await open(pipe, 'w');
    run.child.kill('SIGHUP');
    await first.writeFile('sk-backend-secret');
    await first.close();
    await listening(run);
    const second = await open(pipe, 'w');
    await second.writeFile('sk-another-secret');
    await second.close();
    await run.seen(/apiKey changed/);
    run.child.kill('SIGTERM');
    expect(await run.exit).toBe(0);
  });

  test.each<[string, Record<string, string>, RegExp]>([
    ['PORT', { PORT: 'http' }, /PORT must be a whole number/],
    ['PORT empty', { PORT: '' }, /PORT/],
    ['HOST empty: not the whole network', { HOST: '' }, /HOST/],
    ['LOG_LEVEL', { LOG_LEVEL: 'loud' }, /LOG_LEVEL must be one of/],
  ])('a variable that is no use: %s', async (_name, env, wanted) => {
    const run = estafet(['serve', '--config', 'f.yaml'], { ...ENV, ...env }, folder({ 'f.yaml': FILE(0) }));
    expect(await run.exit).toBe(1);
    expect(run.stderr).toMatch(wanted);
    expect(run.stdout).toBe('');
  });

  test('--host with nothing is refused as well', async () => {
    const run = estafet(['serve', '--config', 'f.yaml', '--host', ''], ENV, folder({ 'f.yaml': FILE(0) }));
    expect(await run.exit).toBe(2);
    expect(run.stderr).toMatch(/--host/);
  });

  test('SIGHUP applies a changed file, and refuses a bad one whole; both are in the log', async () => {
    const home = folder({ 'f.yaml': FILE(0, ', watchFiles: false') });
    const run = estafet(['serve', '--config', 'f.yaml'], ENV, home);
    const url = await listening(run);
    const models = async (): Promise<string> =>
      (await fetch(`${url}/v1/models/gpt-5`, { headers: { authorization: `Bearer ${KEY}` } })).status.toString();
    expect(await models()).toBe('404');
    writeFileSync(join(home, 'f.yaml'), FILE(0, ', watchFiles: false').replace('gpt-4o:', 'gpt-5: [q/qwen-plus], gpt-4o:'));
    run.child.kill('SIGHUP');
    await run.seen(/\+ team t gains gpt-5 \(keys app\)/);
    expect(await models()).toBe('200');
    writeFileSync(join(home, 'f.yaml'), 'models: 5');
    run.child.kill('SIGHUP');
    await run.seen(/"problems":\["f\.yaml:1:\d+ {2}models.*REFUSED as a whole/);
    expect(await models()).toBe('200');
    run.child.kill('SIGINT');
    expect(await run.exit).toBe(0);
    expect(run.stdout + run.stderr).not.toContain(ENV.BACKEND_KEY);
  });

  test('a changed secret file is applied by itself', async () => {
    const text = `${FILE(0)}`.replace("'env:BACKEND_KEY'", "'file:key.txt'");
    const home = folder({ 'f.yaml': text, 'key.txt': 'sk-one-secret' });
    const run = estafet(['serve', '--config', 'f.yaml'], {}, home);
    await listening(run);
    writeFileSync(join(home, 'key.txt'), 'sk-two-secret-longer');
    await run.seen(/"cause":"file","changes":\["~ backend q: apiKey changed"\]/);
    expect(run.stdout + run.stderr).not.toContain('secret');
    run.child.kill('SIGINT');
    expect(await run.exit).toBe(0);
  });
});
