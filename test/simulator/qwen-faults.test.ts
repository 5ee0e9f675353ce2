import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { choiceOf, type Desk, KEY, openDesk, SINGAPORE_KEY, user } from './qwen-desk.ts';

let desk: Desk;
let nowMs = 1_790_000_000_000;
beforeAll(async () => {
  desk = await openDesk(() => nowMs);
});
afterAll(() => desk.close());
beforeEach(() => desk.simulator.reset());

const hello = { role: 'user', content: 'Hello' };

describe('keys and models (rows 18, 24)', () => {
  test.each([
    ['no key', null, undefined, 401, null],
    ['an unknown key', 'sk-unknown', undefined, 401, 'invalid_api_key'],
    ['a Beijing key in Singapore', KEY, 'ap-southeast-1', 401, 'invalid_api_key'],
    ['a Singapore key in Beijing', SINGAPORE_KEY, undefined, 401, 'invalid_api_key'],
    ['a plan key', 'sk-sp-plan-18f2c6d04e5a7391', undefined, 401, 'invalid_api_key'],
    ['arrears', 'sk-arrears-e5c9f3a71b2d4068', undefined, 400, 'Arrearage'],
    ['free quota used', 'sk-free-used-f6d0a4b82c3e5179', undefined, 403, 'AllocationQuota.FreeTierOnly'],
    ['not activated', 'sk-unpurchased-07e1b5c93d4f6280', undefined, 403, 'AccessDenied.Unpurchased'],
  ])('%s', async (_, key, region, status, code) => {
    const options = region === undefined ? { key } : { key, region };
    const list = await desk.post('/models', null, { ...options, method: 'GET' });
    for (const got of [await desk.chat({}, options), ...(code === 'Arrearage' ? [] : [list])]) {
      expect(got.status).toBe(status);
      expect(got.json.error.code).toBe(code);
    }
    if (code === 'Arrearage') expect(list.status).toBe(200);
  });

  test.each([
    ['the plan key', 'sk-sp-plan-18f2c6d04e5a7391', 200, undefined],
    ['a pay-as-you-go key', KEY, 401, 'invalid access token or token expired'],
    ['an unknown key', 'sk-unknown', 401, 'invalid access token or token expired'],
  ])('at the address of the coding plan: %s', async (_, key, status, message) => {
    const answer = await fetch(`${desk.simulator.vendors.qwen?.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}` },
      body: JSON.stringify({ model: 'qwen-plus', messages: [hello] }),
    });
    const { error } = (await answer.json()) as { error?: { message: string } };
    expect([answer.status, error?.message]).toEqual([status, message]);
  });

  test('the native list goes page by page', async () => {
    const answer = await fetch(`${desk.simulator.vendors.qwen?.url}/api/v1/models?page_no=2&page_size=3`, {
      headers: { authorization: `Bearer ${KEY}` },
    });
    const { output } = (await answer.json()) as { output: { total: number; models: unknown[] } };
    expect(output).toMatchObject({ page_no: 2, page_size: 3 });
    expect(output.models).toHaveLength(3);
    expect(output.total).toBeGreaterThan(6);
  });

  test('a Singapore key works in Singapore; the list needs a key and holds retired models', async () => {
    expect((await desk.chat({}, { key: SINGAPORE_KEY, region: 'ap-southeast-1' })).status).toBe(200);
    const { status, json: list } = await desk.post('/models', null, { method: 'GET' });
    expect(status).toBe(200);
    expect(list).toMatchObject({
      object: 'list',
      data: expect.arrayContaining([expect.objectContaining({ id: 'qwen-max', object: 'model', owned_by: 'system' })]),
    });
  });

  test.each([
    ['qwen-max', 403, 'Endpoint.AccessDenied'],
    ['qwen-none', 404, 'model_not_found'],
    ['gpt-4o', 404, 'model_not_found'],
  ])('model %s', async (model, status, code) => {
    const got = await desk.chat({ model });
    expect([got.status, got.json.error.code]).toEqual([status, code]);
  });

  test('unknown paths, methods, and bodies too large', async () => {
    expect((await desk.post('/nothing', {})).status).toBe(404);
    expect((await desk.post('/chat/completions', null, { method: 'GET' })).status).toBe(405);
    expect((await desk.chat(user('a'.repeat(16 * 1024 * 1024 + 1)))).status).toBe(413);
  });
});

describe('faults the vendor says (rows 17 to 20)', () => {
  test.each([
    ['rate-limit', 429, 'limit_requests'],
    ['rate-limit kind=tpm', 429, 'insufficient_quota'],
    ['rate-limit kind=burst', 429, 'limit_burst_rate'],
    ['rate-limit kind=concurrency', 429, 'Throttling.Concurrency'],
    ['code value=PostpaidBillOverdue', 429, 'PostpaidBillOverdue'],
    ['arrears', 400, 'Arrearage'],
    ['moderation', 400, 'data_inspection_failed'],
    ['moderation where=output', 400, 'data_inspection_failed'],
    ['overload', 503, 'ModelServingError'],
    ['dead-key', 401, 'invalid_api_key'],
    ['retired', 403, 'Endpoint.AccessDenied'],
    ['internal', 500, 'internal_error'],
    ['timeout', 500, 'RequestTimeOut'],
    ['error-200', 200, 'BailianGateway.Workspace.NotAuthorised'],
    ['code value=InternalError.Algo.client', 500, 'InternalError.Algo'],
    ['code value=ModelUnavailable', 503, 'ModelUnavailable'],
  ])('%s', async (fault, status, code) => {
    const got = await desk.chat(user(`[[sim:${fault}]] hi`));
    expect([got.status, got.json.error.code]).toEqual([status, code]);
    expect(got.headers.has('retry-after')).toBe(false);
  });

  test('an unknown code is said by the simulator, not by the vendor', async () => {
    const got = await desk.chat(user('[[sim:code value=Nope]]'));
    expect(got.status).toBe(500);
    expect(got.text).toContain('no error row \\"Nope\\" of qwen');
  });

  test('a burst is absorbed when the caller offers to wait', async () => {
    const got = await desk.chat(user('[[sim:rate-limit kind=burst]]'), { headers: { 'x-dashscope-wait-timeout': '5' } });
    expect(got.status).toBe(200);
  });

  test('moderation by word list; a refused stream as one data line', async () => {
    const words = { messages: [{ role: 'system', content: 'sim-forbidden' }, hello] };
    expect((await desk.chat(words)).json.error.code).toBe('data_inspection_failed');
    const plain = await desk.chat({ ...user('sim-forbidden'), stream: true });
    expect(plain.json.error.code).toBe('data_inspection_failed');
    const asData = await desk.chat({ ...user('[[sim:data-body]] sim-forbidden'), stream: true });
    expect(asData.status).toBe(400);
    expect(asData.text).toMatch(/^data: \{"error":/);
    expect(asData.frames[0]?.error.code).toBe('data_inspection_failed');
  });

  test.each([
    ['mid-error after=3', 3, 'internal_error'],
    ['mid-error after=0 code=RequestTimeOut', 0, 'RequestTimeOut'],
    ['moderation where=output', 2, 'data_inspection_failed'],
    ['mid-error after=9999', 20, 'internal_error'],
  ])('in the middle of a stream: %s', async (fault, after, code) => {
    const { status, frames, done } = await desk.chat({ ...user(`[[sim:${fault}]] [[sim:tokens n=20]]`), stream: true });
    expect(status).toBe(200);
    expect(done).toBe(false);
    const last = frames.at(-1);
    expect(last).toEqual({
      error: { code, param: null, message: expect.any(String), type: expect.any(String) },
      id: frames[0]?.id ?? expect.stringMatching(/^chatcmpl-/),
    });
    expect(frames.slice(0, -1).filter((frame) => choiceOf(frame).delta.content !== '')).toHaveLength(after);
    expect(frames.slice(0, -1).every((frame) => choiceOf(frame).finish_reason === null)).toBe(true);
  });
});

describe('row 23: limits of an account', () => {
  test('keys of one account share them, models do not', async () => {
    desk.simulator.setLimits('qwen', { rpm: 1 });
    const status = async (key: string, model = 'qwen-plus'): Promise<number> => (await desk.chat({ model }, { key })).status;
    expect(await status(KEY)).toBe(200);
    expect(await status('sk-good-beijing-2-81c4e6a09b3d5f72')).toBe(429);
    expect(await status('sk-other-beijing-92d7b1f04c6e8a35')).toBe(200);
    expect(await status(KEY, 'qwen-flash')).toBe(200);
    nowMs += 60_001;
    expect(await status(KEY)).toBe(200);
  });

  test('tokens per minute answer insufficient_quota', async () => {
    desk.simulator.setLimits('qwen', { tpm: 10 });
    expect((await desk.chat({})).status).toBe(200);
    expect((await desk.chat({})).json.error.code).toBe('insufficient_quota');
  });
});

describe('row 22: embeddings', () => {
  const rows = (count: number): string[] => Array.from({ length: count }, (_, index) => `row ${index}`);
  test.each([
    [{ input: rows(11) }, 'should not be larger than 10'],
    [{ model: 'text-embedding-v2', input: rows(26) }, 'should not be larger than 25'],
    [{ model: 'qwen3.7-text-embedding', input: rows(21) }, 'should not be larger than 20'],
    [{ input: [1, 2, 3] }, 'contents is neither str nor list of str'],
    [{ input: [[1, 2]] }, 'contents is neither str nor list of str'],
    [{ input: '' }, 'must not be empty'],
    [{ input: [] }, 'contents is neither'],
    [{ input: 'a', dimensions: 100 }, 'dimension should be one of [1024, 2048'],
    [{ input: 'a', encoding_format: 'base64' }, 'encoding_format must be float'],
    [{ input: 'a '.repeat(8_193) }, 'Range of input length should be [1, 8192]'],
  ])('%j', async (change, message) => {
    const { status, json: answer } = await desk.post('/embeddings', { model: 'text-embedding-v4', ...change });
    expect(status).toBe(400);
    expect(answer.error.message).toContain(message);
  });

  test.each([
    ['text-embedding-v1', 1536],
    ['text-embedding-v3', 1024],
    ['qwen3.7-text-embedding', 1024],
  ])('%s gives %i numbers unless told', async (model, size) => {
    const { json: answer } = await desk.post('/embeddings', { model, input: ['one', 'two'] });
    expect(answer.data.map((row) => row.embedding.length)).toEqual([size, size]);
    expect(answer.usage).toEqual({ prompt_tokens: 2, total_tokens: 2 });
  });

  test('shared words bring texts nearer; an unknown model is 404', async () => {
    const { json: answer } = await desk.post('/embeddings', {
      model: 'text-embedding-v4',
      input: ['the red boat', 'the red ship', 'quarterly tax form'],
    });
    const [boat = [], ship = [], tax = []] = answer.data.map((row) => row.embedding);
    const near = (left: readonly number[], right: readonly number[]): number =>
      left.reduce((sum, value, at) => sum + value * (right[at] ?? 0), 0);
    expect(near(boat, ship)).toBeGreaterThan(near(boat, tax) + 0.3);
    expect((await desk.post('/embeddings', { model: 'nope', input: 'a' })).status).toBe(404);
    expect((await desk.post('/embeddings', { model: 'text-embedding-v4', input: '[[sim:overload]]' })).status).toBe(503);
  });
});
