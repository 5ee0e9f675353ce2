import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { portOpen } from '../free-port.ts';
import { KEY } from '../http/desk.ts';
import { completion, DONE, finishFrame, http, httpChunk, roleFrame, SSE_HEAD, scripted, textFrame } from '../relay/backends.ts';
import { cleanUp, estafet, folder } from './process.ts';
import { ENV, FILE, listening } from './relay-file.ts';

afterEach(cleanUp);

/** More than the sockets between the relay and its caller hold. */
const PIECES = 240;
const PIECE = 'a'.repeat(100_000);
const ANSWERS: readonly (readonly [string, boolean, () => string])[] = [
  ['a whole answer', false, () => http(200, completion(PIECE.repeat(PIECES)))],
  [
    'a stream',
    true,
    () =>
      SSE_HEAD + [roleFrame, ...Array<string>(PIECES).fill(textFrame(PIECE)), finishFrame(), DONE].map(httpChunk).join('') + httpChunk(''),
  ],
];

test.each(ANSWERS)('SIGTERM while a caller reads %s slowly: it gets the last byte, and then the process ends', async (_, stream, said) => {
  const backend = await scripted((socket) => void socket.write(said()));
  const run = estafet(['serve', '--config', 'f.yaml'], ENV, folder({ 'f.yaml': FILE(0, '', `${backend.url}/v1`) }));
  const url = await listening(run);
  const asked = request(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
    agent: false,
  });
  asked.end(JSON.stringify({ model: 'gpt-4o', stream, messages: [{ role: 'user', content: 'x' }] }));
  const [answer] = (await once(asked, 'response')) as [IncomingMessage];
  expect(answer.statusCode).toBe(200);
  run.child.kill('SIGTERM');
  await expect.poll(() => portOpen(Number(new URL(url).port)), { timeout: 20_000 }).toBe(false);
  let text = '';
  for await (const piece of answer.setEncoding('utf8')) {
    text += piece as string;
    await sleep(2);
  }
  expect(answer.complete).toBe(true);
  expect(text.match(/a{100000}/g)).toHaveLength(PIECES);
  if (stream) expect(text.endsWith('data: [DONE]\n\n')).toBe(true);
  expect(await run.exit).toBe(0);
  expect(run.stderr).toBe('');
  expect(run.stdout).toMatch(/"msg":"request"/);
  await backend.close();
});
