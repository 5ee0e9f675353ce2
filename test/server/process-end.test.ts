import { connect } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { portOpen } from '../free-port.ts';
import { KEY, until } from '../http/desk.ts';
import { standingBackend } from '../relay/standing-backend.ts';
import { cleanUp, estafet, folder } from './process.ts';

import { ENV, FILE, listening } from './relay-file.ts';

afterEach(cleanUp);

describe('the end of a process', () => {
  test('SIGTERM: a running stream ends whole, new work is refused, exit code 0', async () => {
    const backend = await standingBackend();
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
    backend.finish();
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
    const backend = await standingBackend();
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
    expect(run.stderr).toMatch(/second signal to stop/);
    await backend.close();
  });
});
