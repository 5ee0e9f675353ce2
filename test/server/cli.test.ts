import { execFile, execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { runInNewContext } from 'node:vm';
import { afterEach, describe, expect, test } from 'vitest';
import { freePort } from '../free-port.ts';
import { digestOf, KEY, until } from '../http/desk.ts';
import { DONE, finishFrame, httpChunk, roleFrame, SSE_HEAD, scripted, textFrame } from '../relay/backends.ts';
import { cleanUp, estafet, folder, type Run } from './process.ts';

afterEach(cleanUp);

const FILE = (port: number, more = '', baseUrl = 'http://127.0.0.1:9/v1'): string => `server: { port: ${port}${more} }
backends: { q: { vendor: qwen, baseUrl: '${baseUrl}', apiKey: 'env:BACKEND_KEY' } }
models: { gpt-4o: [q/qwen-plus] }
teams: { t: { permit: { vendors: [qwen], regions: ['*'] } } }
keys: [{ name: app, team: t, key: '${digestOf(KEY)}' }]
`;
const ENV = { BACKEND_KEY: 'sk-backend-secret' };

const listening = async (run: Run): Promise<string> => (await run.seen(/listens on (http:\S+)/))[1] as string;

function portOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

describe('usage', () => {
  test.each([['--help'], ['serve', '--help']])('%s %s', async (...args) => {
    const run = estafet(args.filter((arg) => arg !== undefined));
    expect(await run.exit).toBe(0);
    expect(run.stdout).toMatch(/Usage: estafet/);
    if (args.length === 1) for (const word of ['serve', 'check', 'simulate']) expect(run.stdout).toContain(word);
    expect(run.stderr).toBe('');
  });

  test.each([['--help'], ['-h']])('simulate %s is the help of the simulator, under the name it was called by', async (option) => {
    const run = estafet(['simulate', option]);
    expect(await run.exit).toBe(0);
    expect(run.stdout).toMatch(/^usage: estafet simulate \[--vendors /);
    for (const word of ['--vendors', '--host', '--port', '--quiet', '--help'])
      expect(run.stdout).toContain(`  ${word}`.replace('  --help', '-h, --help'));
    expect(run.stderr).toBe('');
  });

  test('a wrong option of the simulator is told under the same name', async () => {
    const run = estafet(['simulate', '--nope']);
    expect(await run.exit).toBe(2);
    expect(run.stderr).toContain('usage: estafet simulate ');
  });

  test('--version', async () => {
    const run = estafet(['--version']);
    expect(await run.exit).toBe(0);
    expect(run.stdout.trim()).toBe((JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }).version);
  });

  test.each([
    ['serve', '--nope'],
    ['nope'],
    ['serve', '--port', 'x'],
    ['serve', '--port', '70000'],
    ['serve', '--port'],
    ['check', 'a', 'b'],
  ])('wrong usage is exit code 2: %s %s %s', async (...args) => {
    const run = estafet(args.filter((arg) => arg !== undefined));
    expect(await run.exit).toBe(2);
    expect(run.stderr).toMatch(/error:/);
    expect(run.stdout).toBe('');
  });
});

describe('check', () => {
  test('--against shows what changes', async () => {
    const next = FILE(0).replace('qwen-plus', 'qwen-flash').replace('port: 0', 'port: 1');
    const run = estafet(['check', 'f.yaml', '--against', 'old.yaml'], ENV, folder({ 'f.yaml': next, 'old.yaml': FILE(0) }));
    expect(await run.exit).toBe(0);
    const lines = run.stdout.trimEnd().split('\n');
    expect(lines.slice(lines.findIndex((line) => line.startsWith('changes')))).toEqual([
      'changes against old.yaml (- less, + more, ~ other, ! needs a restart):',
      '  - team t reaches fewer backends for gpt-4o (keys app)',
      '  + team t reaches more backends for gpt-4o (keys app)',
      '  ~ model gpt-4o: q/qwen-plus → q/qwen-flash',
      '  ! server.port needs a restart; the old value stays in force',
    ]);
  });

  test('--against a file that is no good', async () => {
    const run = estafet(['check', 'f.yaml', '--against', 'none.yaml'], ENV, folder({ 'f.yaml': FILE(0) }));
    expect(await run.exit).toBe(1);
    expect(run.stderr).toMatch(/none\.yaml.*no such file/);
  });

  test('a good file', async () => {
    const run = estafet(['check', 'f.yaml'], ENV, folder({ 'f.yaml': FILE(0) }));
    expect(await run.exit).toBe(0);
    expect(run.stdout).toContain('gpt-4o');
    expect(run.stdout + run.stderr).not.toContain(ENV.BACKEND_KEY);
  });

  test.each<[string, Record<string, string>, string, RegExp]>([
    ['a file that is not there', {}, 'f.yaml', /f\.yaml/],
    ['the default file, not there', {}, '', /estafet\.yaml/],
    ['no YAML', { 'f.yaml': '{' }, 'f.yaml', /f\.yaml:1/],
    ['a wrong key', { 'f.yaml': FILE(0).replace('backends:', 'backend:') }, 'f.yaml', /backend/],
    ['a secret that is not set', { 'f.yaml': FILE(0).replace('BACKEND_KEY', 'NOT_SET') }, 'f.yaml', /NOT_SET is not set/],
    ['a wrong port', { 'f.yaml': FILE(70_000) }, 'f.yaml', /port/],
  ])('%s', async (_name, files, file, wanted) => {
    const run = estafet(['check', ...(file === '' ? [] : [file])], ENV, folder(files));
    expect(await run.exit).toBe(1);
    expect(run.stderr).toMatch(wanted);
    expect(run.stderr).not.toMatch(/\n\s+at /);
    expect(run.stdout).toBe('');
  });
});

describe('serve', () => {
  test('a bad file: exit code 1, and nothing listens', async () => {
    const port = await freePort();
    const run = estafet(['serve', '--config', 'f.yaml', '--port', String(port)], ENV, folder({ 'f.yaml': `${FILE(port)}nope: 1\n` }));
    expect(await run.exit).toBe(1);
    expect(run.stderr).toMatch(/nope/);
    expect(run.stderr).toMatch(/nothing was started/);
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
    expect(run.stderr.trim()).toBe(`estafet: cannot listen on 127.0.0.1:${port}: the port is taken. Choose another with --port or PORT.`);
    taken.close();
  });

  test('a taken port of the metrics: the line names it and its key', async () => {
    const taken: Server = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const { port } = taken.address() as { port: number };
    const run = estafet(['serve', '--config', 'f.yaml'], ENV, folder({ 'f.yaml': FILE(0, `, metrics: { port: ${port} }`) }));
    expect(await run.exit).toBe(1);
    expect(run.stderr.trim()).toBe(`estafet: cannot listen on 127.0.0.1:${port}: the port is taken. Set another server.metrics.port.`);
    taken.close();
  });

  test('an address that is not this machine\u2019s', async () => {
    const run = estafet(['serve', '--config', 'f.yaml', '--host', '192.0.2.1'], ENV, folder({ 'f.yaml': FILE(0) }));
    expect(await run.exit).toBe(1);
    expect(run.stderr).toMatch(/no such address/);
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
    await run.seen(/"cause":"file","changes":\["~ backend q: apiKey is another"\]/);
    expect(run.stdout + run.stderr).not.toContain('secret');
    run.child.kill('SIGINT');
    expect(await run.exit).toBe(0);
  });
});

describe('the end of a process', () => {
  test('SIGTERM: a running stream ends whole, new work is refused, exit code 0', async () => {
    let rest: () => void = () => undefined;
    const backend = await scripted((socket) => {
      socket.write(SSE_HEAD + httpChunk(roleFrame + textFrame('Hel')));
      rest = () => void socket.write(`${[textFrame('lo'), finishFrame(), DONE].map(httpChunk).join('')}0\r\n\r\n`);
    });
    const run = estafet(
      ['serve', '--config', 'f.yaml'],
      ENV,
      folder({ 'f.yaml': FILE(0, ', drainTimeoutMs: 15000', `${backend.url}/v1`) }),
    );
    const url = await listening(run);
    const headers = { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' };
    const answer = await fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers,
      body: JSON.stringify({ model: 'gpt-4o', stream: true, messages: [{ role: 'user', content: 'x' }] }),
    });
    // A connection that is kept alive and carries another request while the process ends.
    const kept = connect(Number(new URL(url).port), '127.0.0.1');
    let told = '';
    kept.on('data', (piece: Buffer) => {
      told += piece.toString();
    });
    kept.on('error', () => undefined);
    kept.write('POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n');
    await new Promise((resolve) => setTimeout(resolve, 50));
    run.child.kill('SIGTERM');
    for (let round = 0; round < 500 && (await portOpen(Number(new URL(url).port))); round++)
      await new Promise((resolve) => setTimeout(resolve, 20));
    expect(await portOpen(Number(new URL(url).port))).toBe(false);
    kept.end();
    rest();
    const text = await answer.text();
    expect(text).toContain('"content":"lo"');
    expect(text.endsWith('data: [DONE]\n\n')).toBe(true);
    expect(await run.exit).toBe(0);
    expect(told === '' || /HTTP\/1\.1 (401|503)/.test(told)).toBe(true);
    // The request is in the log, written out before the end.
    expect(run.stdout).toMatch(/"msg":"request"/);
    expect(run.stdout + run.stderr).not.toContain(ENV.BACKEND_KEY);
    expect(run.stdout + run.stderr).not.toContain(KEY);
    await backend.close();
  });

  /** A stream that stands after its first piece. */
  async function standing(drainTimeoutMs: number) {
    const backend = await scripted((socket) => socket.write(SSE_HEAD + httpChunk(roleFrame + textFrame('Hel'))));
    const home = folder({ 'f.yaml': FILE(0, `, drainTimeoutMs: ${drainTimeoutMs}`, `${backend.url}/v1`) });
    const run = estafet(['serve', '--config', 'f.yaml'], ENV, home);
    const url = await listening(run);
    const post = (stream: boolean): Promise<Response> =>
      fetch(`${url}/v1/chat/completions`, {
        method: 'POST',
        headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
        body: JSON.stringify({ model: 'gpt-4o', stream, messages: [{ role: 'user', content: 'x' }] }),
      });
    const answer = await post(true);
    return { backend, run, answer, post };
  }

  test('what does not end in time is cut with an error of its own kind, booked, and that is said', async () => {
    const { backend, run, answer, post } = await standing(500);
    const whole = post(false);
    await until('the second call', () => backend.requests.length === 2);
    run.child.kill('SIGTERM');
    // As npm passes on a signal that the terminal has sent already.
    run.child.kill('SIGTERM');
    const text = await answer.text();
    const last = text.trimEnd().split('\n\n').at(-1)?.slice('data: '.length) ?? '';
    expect(JSON.parse(last)).toEqual({ error: { message: expect.any(String), type: 'server_error', param: null, code: 'draining' } });
    expect(text).not.toContain('[DONE]');
    expect(text).not.toContain('"finish_reason":"stop"');
    const refused = await whole;
    expect([refused.status, ((await refused.json()) as { error: { code: string } }).error.code]).toEqual([503, 'draining']);
    expect(await run.exit).toBe(0);
    expect(run.stderr).toMatch(/were cut/);
    expect(run.stdout.match(/"msg":"request"/g)?.length).toBe(2);
    await until('the backend\u2019s call is closed', () => backend.sockets.size === 0);
    await backend.close();
  });

  test('a second signal ends it at once', async () => {
    const { backend, run, answer } = await standing(60_000);
    run.child.kill('SIGTERM');
    await new Promise((resolve) => setTimeout(resolve, 700));
    run.child.kill('SIGINT');
    expect(await run.exit).toBe(1);
    await expect(answer.text()).rejects.toThrow();
    expect(run.stderr).toMatch(/a second time/);
    await backend.close();
  });
});

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
    expect(failed.stderr).toMatch(/the port is taken/);
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

describe('an old Node', () => {
  /** cli.js with another version, up to where it would load the rest. */
  function start(version: string): { exit: number | null; said: string } {
    const text = readFileSync('cli/cli.js', 'utf8').replace(/^#!.*$/m, '');
    const guard = text.slice(0, text.indexOf('const { main }'));
    expect(guard).toContain('process.versions');
    const said: string[] = [];
    let exit: number | null = null;
    const process_ = {
      versions: { node: version },
      exit: (code: number) => {
        exit = code;
        throw new Error('exit');
      },
    };
    try {
      runInNewContext(guard, { process: process_, console: { error: (line: string) => said.push(line) } });
    } catch (error) {
      if (exit === null) throw error;
    }
    return { exit, said: said.join('\n') };
  }

  test.each(['12.22.0', '18.20.4', '20.19.0', '22.0.0', '22.18.9'])('%s is told what it lacks', (version) => {
    const { exit, said } = start(version);
    expect(exit).toBe(1);
    expect(said).toContain('22.19');
    expect(said).toContain(version);
  });

  test.each(['22.19.0', '22.20.1', '23.0.0', '24.21.0', '100.0.0'])('%s is fine', (version) => {
    expect(start(version)).toEqual({ exit: null, said: '' });
  });

  test('nothing is imported before the guard', () => {
    const text = readFileSync('cli/cli.js', 'utf8');
    expect(text).not.toMatch(/^import\s/m);
    expect(existsSync('cli/main.ts')).toBe(true);
  });
});
