import { expect, test } from 'vitest';
import { type ErrorName, OpenAIError } from '../../../openai/errors.ts';
import { Pass } from '../../../relay/routing/pass.ts';
import { nodes } from './nodes.ts';

test.each<ErrorName>(['upstream_timeout', 'upstream_overloaded', 'upstream_rate_limit_tokens'])(
  '%s: what one node finds the other knows, and that it is over',
  async (kind) => {
    const { one, other, read, wait, hashes } = nodes();
    await read(one, other);
    await one.end(kind);
    expect(other.enter()).toBeInstanceOf(Pass);
    wait(1_000);
    await read(other);
    expect(other.enter()).toMatchObject({ kind, details: { retryAfterMs: 4_000 } });
    wait(4_000);
    await one.end(null);
    await read(other);
    expect([other.enter(), other.enter()]).toEqual([expect.any(Pass), expect.any(Pass)]);
    expect([...hashes.values()]).toEqual([{}]);
  },
);

test('nothing but the kind of the failure and a fingerprint is written', async () => {
  const { one, read, hashes } = nodes();
  await read(one);
  await one.end('upstream_auth');
  const text = JSON.stringify([...hashes]);
  expect(text).toContain('upstream_auth');
  expect(text).not.toContain('sk-');
});

test('a missing model is each node’s own: callers make up names', async () => {
  const { one, read, hashes } = nodes();
  await read(one);
  await one.end('upstream_model_unavailable');
  expect([...hashes.values()]).toEqual([]);
});

test('while Redis is gone each node knows what it finds itself; then they share again', async () => {
  const { one, other, read, set, wait, faults } = nodes();
  await read(one, other);
  set('gone');
  await one.end('upstream_timeout');
  await read(other);
  expect(one.enter()).toBeInstanceOf(OpenAIError);
  expect(other.enter()).toBeInstanceOf(Pass);
  expect(faults).not.toEqual([]);
  set('there');
  wait(5_000);
  await one.end('upstream_timeout');
  await read(other);
  expect(other.enter()).toBeInstanceOf(OpenAIError);
});

test('what another release wrote is left alone; what nobody took out goes', async () => {
  const { one, read, hashes, wait } = nodes();
  const key = 'estafet:breakers:{b}';
  hashes.set(key, {
    'failure p ': '{"until":"soon"}',
    'overload p m': '{"until":1,"kind":"constructor"}',
    'rate p m': 'x',
    'credit p m': '{"until":900000,"kind":"upstream_auth"}',
  });
  await read(one);
  expect(one.enter()).toBeInstanceOf(Pass);
  wait(600_000);
  await read(one);
  expect(Object.keys(hashes.get(key) ?? {})).toEqual(['failure p ', 'overload p m', 'rate p m']);
});
