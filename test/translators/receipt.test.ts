import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { OpenAIError } from '../../openai/errors.ts';
import { Receipt } from '../../translators/receipt.ts';

function thrown(run: () => unknown): OpenAIError {
  try {
    run();
  } catch (error) {
    if (error instanceof OpenAIError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('header', () => {
  test('unchanged', () => {
    expect(new Receipt(false).header()).toBe('unchanged');
  });

  test('fields and fates in order', () => {
    const receipt = new Receipt(false);
    receipt.note('temperature', 'clamped', 'it is too high', { to: '1.99', alters: true });
    receipt.note('messages[0].role', 'renamed', 'no developer');
    expect(receipt.header()).toBe('temperature=clamped;messages[0].role=renamed');
  });

  test.each([
    ['a=b;c', 'a?b?c=dropped'],
    ['a\r\nset-cookie: x', 'a??set-cookie:?x=dropped'],
    ['é☃', '??=dropped'],
    ['', '=dropped'],
  ])('the name %j cannot end the entry', (field, header) => {
    const receipt = new Receipt(false);
    receipt.note(field, 'dropped', 'nobody knows it');
    expect(receipt.header()).toBe(header);
  });

  test('what does not fit is counted', () => {
    const receipt = new Receipt(false);
    for (let count = 0; count < 100; count++) receipt.note(`field_number_${count}`, 'dropped', 'x');
    const [, shown, more] = /^(.*);\+(\d+) more$/.exec(receipt.header()) ?? [];
    expect((shown?.split(';').length ?? 0) + Number(more)).toBe(100);
  });

  test('any names: visible ASCII of at most 1 KB, one entry a change', () => {
    const name = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 200 }),
      fc.string({ maxLength: 2000 }),
      fc.constantFrom('temperature', '\ud83d', '__proto__', '\u0000'),
    );
    fc.assert(
      fc.property(fc.array(name, { maxLength: 60 }), (names) => {
        const receipt = new Receipt(false);
        for (const field of names) receipt.note(field, 'dropped', 'x');
        const header = receipt.header();
        expect(header.length).toBeLessThanOrEqual(1024);
        expect(header).toMatch(/^[\x20-\x7e]+$/);
        const entries = header === 'unchanged' ? 0 : header.split(';').filter((entry) => entry.includes('=')).length;
        const more = Number(/\+(\d+) more$/.exec(header)?.[1] ?? 0);
        expect(entries + more).toBe(names.length);
        expect(() => new Headers({ 'x-estafet-receipt': header })).not.toThrow();
      }),
      { numRuns: 1000 },
    );
  });
});

describe('changes', () => {
  test('are kept with their reason, and alter nothing unless said', () => {
    const receipt = new Receipt(false);
    receipt.note('store', 'dropped', 'nothing is stored');
    receipt.note('seed', 'clamped', 'too large', { to: '5' });
    expect(receipt.changes).toEqual([
      { field: 'store', fate: 'dropped', reason: 'nothing is stored', alters: false },
      { field: 'seed', fate: 'clamped', reason: 'too large', to: '5', alters: false },
    ]);
  });

  test('a long name is cut, between characters', () => {
    const receipt = new Receipt(false);
    receipt.note('😀'.repeat(10_000), 'dropped', 'x');
    expect(receipt.changes[0]?.field.length).toBeLessThanOrEqual(201);
    expect(receipt.changes[0]?.field.isWellFormed()).toBe(true);
  });
});

describe('strict', () => {
  test('what alters nothing goes through', () => {
    const receipt = new Receipt(true);
    receipt.note('store', 'dropped', 'nothing is stored');
    expect(receipt.changes).toHaveLength(1);
  });

  test('what alters the answer is a 400 that names the field, and another backend may carry it', () => {
    const receipt = new Receipt(true);
    const error = thrown(() => receipt.note('frequency_penalty', 'dropped', 'it has none', { alters: true }));
    expect([error.kind, error.status, error.details.param, error.details.fallback]).toEqual([
      'unsupported_parameter',
      400,
      'frequency_penalty',
      true,
    ]);
    expect(error.message).toBe("Unsupported parameter: 'frequency_penalty' would be dropped (it has none), and this key is strict.");
    expect(receipt.changes).toEqual([expect.objectContaining({ field: 'frequency_penalty', fate: 'refused', alters: true })]);
  });
});

test.each([false, true])('a refusal is one for every key (strict: %s)', (strict) => {
  const receipt = new Receipt(strict);
  const error = thrown(() => receipt.refuse('audio', 'No audio.', 'unsupported_value'));
  expect([error.kind, error.message, error.details.param]).toEqual(['unsupported_value', 'No audio.', 'audio']);
  expect(receipt.header()).toBe('audio=refused');
});
