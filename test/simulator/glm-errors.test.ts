import { describe, expect, test } from 'vitest';
import { ERRORS } from '../../simulator/glm/errors.ts';
import { type Ask, chatBody, openDesk, saying } from './glm-desk.ts';

const ask = (what: Ask) => openDesk().ask(what);

/** Every business code of the vendor's table and the HTTP status it travels with. */
const TABLE: readonly [string, number][] = [
  ['500', 500],
  ...['1000', '1001', '1002', '1003', '1004', '1005'].map((code): [string, number] => [code, 401]),
  ...['1100', '1110', '1111', '1112', '1113', '1121'].map((code): [string, number] => [code, 429]),
  ...['1120', '1200', '1230', '1234'].map((code): [string, number] => [code, 500]),
  ...['1210', '1211', '1212', '1213', '1214', '1215', '1221', '1222', '1231', '1261', '1300', '1301'].map((code): [string, number] => [
    code,
    400,
  ]),
  ['1220', 403],
  ...['1302', '1303', '1304', '1305', '1308', '1309', '1310', '1311', '1312', '1313'].map((code): [string, number] => [code, 429]),
  ...['1314', '1315', '1316', '1317', '1318', '1319', '1320', '1321'].map((code): [string, number] => [code, 429]),
];

describe('code value=NNNN', () => {
  test.each(TABLE)('%s travels with HTTP %i', (code, status) => {
    const told = ask({ body: saying(`[[sim:code value=${code}]] hi`) });
    expect(told.status).toBe(status);
    expect(told.type).toBe('application/json; charset=UTF-8');
    expect(told.json['error']).toEqual({ code, message: expect.stringMatching(/\S/) });
    expect(told.accounting.errorCode).toBe(code);
  });

  test('the table holds every code the simulator knows', () => {
    expect(TABLE.map(([code]) => code).sort()).toEqual(Object.keys(ERRORS).sort());
  });

  test('status and message can be set', () => {
    const told = ask({ body: saying('[[sim:code value=1302 status=503 message="slow down"]]') });
    expect([told.status, told.json]).toEqual([503, { error: { code: '1302', message: 'slow down' } }]);
  });
});

describe('neutral fault names', () => {
  test.each([
    ['rate-limit', 429, '1302'],
    ['rate-limit kind=concurrency', 429, '1302'],
    ['rate-limit kind=rpm', 429, '1303'],
    ['rate-limit kind=day', 429, '1304'],
    ['rate-limit kind=plan', 429, '1308'],
    ['rate-limit kind=week', 429, '1310'],
    ['arrears', 429, '1113'],
    ['moderation where=input', 400, '1301'],
    ['overload', 429, '1305'],
    ['overload kind=model', 429, '1312'],
    ['dead-key', 401, '1000'],
    ['dead-key kind=expired', 401, '1003'],
    ['retired', 400, '1211'],
    ['retired kind=api', 400, '1221'],
    ['internal', 500, '500'],
    ['timeout', 500, '1234'],
    ['context-length', 400, '1261'],
    ['error-200', 200, '500'],
    ['error-200 code=1302', 200, '1302'],
    ['mid-error after=2 code=1305', 429, '1305'],
  ])('%s, not streamed', (directive, status, code) => {
    const told = ask({ body: saying(`[[sim:${directive}]] hi`) });
    expect([told.status, told.json['error']?.['code']]).toEqual([status, code]);
  });

  test.each(['rate-limit', 'error-200', 'arrears'])('%s refuses a stream with a whole JSON body', (name) => {
    const told = ask({ body: saying(`[[sim:${name}]] hi`, { stream: true }) });
    expect(told.type).toBe('application/json; charset=UTF-8');
    expect(told.accounting.stream).toBe(true);
    expect(told.json['error']).toBeDefined();
  });

  test('a fault set by the admin works on requests without directives, and the prompt’s own comes first', () => {
    const faults = [{ name: 'code', args: { value: '1305' } }];
    expect(ask({ faults, body: chatBody() }).accounting.errorCode).toBe('1305');
    expect(ask({ faults, body: saying('[[sim:code value=1302]]') }).accounting.errorCode).toBe('1302');
  });

  test.each([
    [0, 0, 0],
    [100, 200, 200],
    [85, 150, 190],
  ])('percent=%i strikes between %i and %i of 200 requests', (percent, least, most) => {
    const desk = openDesk();
    const struck = Array.from({ length: 200 }, () => desk.ask({ body: saying(`[[sim:overload percent=${percent}]]`) }).status === 429);
    const count = struck.filter(Boolean).length;
    expect(count).toBeGreaterThanOrEqual(least);
    expect(count).toBeLessThanOrEqual(most);
  });

  test('wire faults of the kernel are none of the vendor’s', () => {
    expect(ask({ body: saying('[[sim:cut bytes=10]] hi') }).status).toBe(200);
  });

  test.each(['code value=9999', 'form value=odd', 'mid-error after=x', 'shape value=round', 'rate-limit kind=odd', 'tool-args value=odd'])(
    'a fault nobody can follow is said: %s',
    (directive) => {
      const told = ask({ body: saying(`[[sim:${directive}]]`) });
      expect(told.status).toBe(400);
      expect(told.text).toContain('the GLM simulator does not know');
    },
  );
});

describe('bodies', () => {
  test('1301 tells beside the error which side was filtered', () => {
    const told = ask({ body: saying('[[sim:moderation where=input]]') });
    expect(Object.keys(told.json)).toEqual(['contentFilter', 'error']);
    expect(told.json['contentFilter']).toEqual([{ level: 1, role: 'user' }]);
  });

  test('1308 and 1310 print the Beijing time of the reset', () => {
    expect(ask({ body: saying('[[sim:code value=1308]]') }).text).toContain('2026-09-01 15:15:30');
    expect(ask({ body: saying('[[sim:code value=1310]]') }).text).toContain('2026-09-08 10:15:30');
  });

  test.each([
    ['number-code', 400, { error: { code: 1261, message: 'Prompt too long' } }],
    ['envelope', 200, { success: false, code: 1261, msg: 'Prompt too long' }],
    ['flat', 400, { code: '1261', message: 'Prompt too long' }],
    ['request-id', 400, { error: { code: '1261', message: 'Prompt too long' }, request_id: 'relay-000001' }],
  ])('shape %s', (shape, status, expected) => {
    const body = saying(`[[sim:shape value=${shape}]] [[sim:code value=1261]]`, { request_id: 'relay-000001' });
    const told = ask({ headers: { 'accept-language': 'en-US,en' }, body });
    expect([told.status, told.json]).toEqual([status, expected]);
  });

  test('a shape without an error wears the internal one', () => {
    expect(ask({ body: saying('[[sim:shape value=envelope]]') }).json).toMatchObject({ success: false, code: 500 });
  });

  test.each([
    ['cn', undefined, 'Prompt 过长'],
    ['cn', 'en-US,en', 'Prompt too long'],
    ['intl', undefined, 'Prompt too long'],
    ['intl', 'zh-CN', 'Prompt 过长'],
  ])('language at %s with Accept-Language %s', (region, language, message) => {
    const headers: Record<string, string> = language === undefined ? {} : { 'accept-language': language };
    expect(ask({ region, headers, body: saying('[[sim:context-length]]') }).json['error']?.['message']).toBe(message);
  });

  test('no rate-limit or retry headers ever', () => {
    const told = ask({ body: saying('[[sim:rate-limit]]') });
    expect(told.status).toBe(429);
    expect(told.headers).toEqual({ 'content-type': 'application/json; charset=UTF-8' });
  });
});

describe('paths', () => {
  test.each([
    ['GET', '/api/paas/v4/models', 404],
    ['POST', '/api/paas/v4/v1/chat/completions', 404],
    ['POST', '/api/coding/paas/v4/embeddings', 404],
    ['GET', '/api/paas/v4/chat/completions', 405],
  ])('%s %s is answered %i by the framework, with no error object', (method, path, status) => {
    const told = ask({ method, path, body: chatBody() });
    expect(told.status).toBe(status);
    expect(told.json).toMatchObject({ status, timestamp: '2026-09-01T02:15:30.000+00:00' });
    expect(typeof told.json['error']).toBe('string');
  });

  test('on demand the model list leaves out the free models', () => {
    const told = ask({ method: 'GET', path: '/api/paas/v4/models', faults: [{ name: 'models', args: { value: 'list' } }] });
    const ids = (told.json['data'] as unknown as { id: string }[]).map(({ id }) => id);
    expect(ids).toContain('glm-4.7');
    expect(ids).not.toContain('glm-4.7-flash');
  });

  test('a body that is not JSON is 1210', () => {
    expect(ask({ body: '{"model":' }).accounting.errorCode).toBe('1210');
    expect(ask({ body: '[1]' }).accounting.errorCode).toBe('1210');
  });
});
