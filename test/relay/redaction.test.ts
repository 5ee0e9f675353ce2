import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { OpenAIError } from '../../openai/errors.ts';
import { redactedFailure } from '../../relay/chat/redaction.ts';
import { BackendClient } from '../../relay/upstream/backend-client.ts';
import { zhipuToken } from '../../relay/upstream/credentials.ts';
import { DeadlineWheel } from '../../relay/upstream/deadlines.ts';
import { redactor } from '../../relay/upstream/secrets.ts';
import { configOf, digestOf } from '../http/desk.ts';
import { http, httpChunk, type Script, SSE_HEAD, textFrame } from './backends.ts';
import { type ChatDesk, openChatDesk, tell } from './chat-desk.ts';

const KEY = `${'0123456789abcdef'.repeat(2)}.SeCrEtPaRt012345`;
const [ID, SECRET] = KEY.split('.') as [string, string];

describe('secrets in a text', () => {
  const redact = redactor([KEY, '']);
  test.each<[string, string, string]>([
    ['the whole key', `key ${KEY} is wrong`, 'key *** is wrong'],
    ['its id', `id=${ID}`, 'id=***'],
    ['its secret, twice', `${SECRET}/${SECRET}`, '***/***'],
    ['within a word', `x${KEY}y`, 'x***y'],
    ['cut in the middle by the bound on messages', `key ${KEY.slice(0, 40)}…`, 'key ***…'],
    ['cut within a part', `secret ${SECRET.slice(0, 12)}…`, 'secret ***…'],
    ['none', 'no key here…', 'no key here…'],
  ])('%s', (_name, text, clean) => {
    expect(redact(text)).toBe(clean);
  });

  test('parts of up to eight characters are words, longer ones are not; the whole key always goes', () => {
    expect(redactor(['qwen/12345678.123456789'])('qwen 12345678 123456789')).toBe('qwen 12345678 ***');
    expect(redactor(['short'])('a short key')).toBe('a *** key');
  });
});

describe('a failure', () => {
  const redact = redactor([KEY]);

  test('message, field, code and cause lose the key; the rest stays', () => {
    const cause = new Error(`socket ${KEY}`, { cause: { body: SECRET } });
    const details = { param: ID, upstreamCode: `c-${SECRET}`, cause, fallback: true, retryAfterMs: 5 };
    const clean = redactedFailure(new OpenAIError('invalid_request', `wrong: ${KEY}`, details), redact);
    expect(clean).toMatchObject({ kind: 'invalid_request', message: 'wrong: ***' });
    expect(clean.details).toMatchObject({ param: '***', upstreamCode: 'c-***', fallback: true, retryAfterMs: 5 });
    expect(String(clean.cause)).toContain('socket ***');
    expect(`${JSON.stringify(clean.details)} ${clean.stack} ${String(clean.cause)}`).not.toMatch(new RegExp(`${ID}|${SECRET}`));
  });

  test.each([undefined, null, 'words', { a: 1 }, new Error('x')])('without a secret it is the same: cause %s', (cause) => {
    const error = new OpenAIError('upstream_timeout', 'late', { cause });
    expect(redactedFailure(error, redact)).toBe(error);
  });

  test.each<[string, string]>([
    ['at http://10.1.2.3:8080/v1/chat?x=1, sorry', 'at *** sorry'],
    ['http://127.0.0.1', '***'],
    ['(https://192.168.0.1/a)', '(***)'],
    ['请求http://172.16.5.5/api失败，稍后', '请求***，稍后'],
    ['http://169.254.169.254/latest and http://100.64.0.1/', '*** and ***'],
    ['http://[::1]:8080/x and http://[fd00::1]/ and http://[::ffff:10.0.0.1]/', '*** and *** and ***'],
    ['HTTP://LOCALHOST:3000/', '***'],
    ['http://user:word@10.0.0.1/', '***'],
    ['http://2130706433/', '***'],
    ['http://gateway/v1 or http://api.prod.svc.cluster.local/v1 or http://a.internal./', '*** or *** or ***'],
    ['see https://help.aliyun.com/zh/model-studio/error-code', 'see https://help.aliyun.com/zh/model-studio/error-code'],
    ['https://8.8.8.8/x and http://[2606:4700::1111]/', 'https://8.8.8.8/x and http://[2606:4700::1111]/'],
    ['a URL begins with http:// or https://', 'a URL begins with http:// or https://'],
  ])('inner addresses are hidden: %s', (text, shown) => {
    expect(redactedFailure(new OpenAIError('invalid_request', text), redact).message).toBe(shown);
  });
});

describe('a backend that quotes its key', () => {
  /** As the desk gives them to its backends. */
  const KEYS = { one: 'sk-secret-of-backend-a', two: 'id.secret-of-backend-b' } as const;
  let rig: ChatDesk;
  beforeAll(async () => {
    rig = await openChatDesk();
  });
  afterAll(() => rig.close());
  beforeEach(() => {
    rig.desk.records.length = 0;
  });

  const errorOf = (model: 'one' | 'two', code: string): string => {
    const key = KEYS[model];
    const message = `the request of ${key} (${key.split('.').at(-1)}) at http://10.9.8.7/v1 is odd`;
    return JSON.stringify({ error: { code, type: 'invalid_request_error', message } });
  };
  const HOWS: [string, (body: string) => Script, boolean][] = [
    ['in a refusal', (body) => (socket) => socket.write(http(400, body)), false],
    ['in a refusal of the key', (body) => (socket) => socket.write(http(401, body)), false],
    ['in an answer of status 200', (body) => (socket) => socket.write(http(200, body)), false],
    ['in the first frame', (body) => (socket) => socket.write(`${SSE_HEAD}${httpChunk(`data: ${body}\n\n`)}0\r\n\r\n`), true],
    [
      'in a frame after text',
      (body) => (socket) => socket.write(`${SSE_HEAD}${httpChunk(textFrame('Hi'))}${httpChunk(`data: ${body}\n\n`)}0\r\n\r\n`),
      true,
    ],
  ];

  describe.each(['one', 'two'] as const)('model %s', (model) => {
    test.each(HOWS)('%s', async (_name, script, stream) => {
      rig.script[model === 'one' ? 'first' : 'second'] = script(errorOf(model, model === 'two' ? '1210' : 'invalid_parameter_error'));
      const told = await tell(rig.desk, model, stream ? { stream } : {});
      expect(told.error).not.toBeNull();
      for (const text of [told.text, JSON.stringify(rig.desk.records)]) expect(text).not.toMatch(/secret-of-backend|10\.9\.8\.7/);
      expect(rig.desk.records).toHaveLength(1);
    });
  });

  test('the words around it stay', async () => {
    rig.script.second = (socket) => socket.write(http(400, errorOf('two', '1210')));
    expect((await tell(rig.desk, 'two')).error?.message).toBe('the request of *** (***) at *** is odd');
  });
});

test('a text without the key, its parts, and the token that was made of it', async () => {
  const key = KEY;
  const wheel = new DeadlineWheel();
  const config = configOf(
    `backends: { g: { vendor: glm, baseUrl: 'http://127.0.0.1:1/v4', apiKey: 'env:K', auth: jwt } }
teams: { t: { permit: { vendors: [glm], regions: ['*'] } } }
keys: [{ name: k, team: t, key: '${digestOf('k'.repeat(20))}' }]
`,
    { K: key },
  );
  const client = new BackendClient(config.backends['g'] as NonNullable<(typeof config.backends)[string]>, wheel, 'estafet/test');
  const token = zhipuToken(key)(Date.now()).slice('Bearer '.length);
  expect(client.redact(`${key} ${key.split('.').join(' ')} sk-other`)).toBe('*** *** *** sk-other');
  expect(client.redact(`words ${token.split('.')[0]}`)).toBe('words ***');
  await client.destroy();
});
