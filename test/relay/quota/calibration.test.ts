import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type PromptSize, promptSize } from '../../../relay/chat/prompt-size.ts';
import { Calibration } from '../../../relay/quota/calibration.ts';
import { VENDORS } from '../../../translators/registry.ts';

const LISTED = { vendor: 'qwen', model: 'listed' };
const charsPerToken = (vendor: string) => VENDORS[vendor]?.charsPerToken ?? null;
const fresh = () => new Calibration({ charsPerToken, known: ({ model }) => model.startsWith('listed') });
const sizeOf = (text: string): PromptSize => promptSize({ messages: [{ role: 'user', content: text }] });

/** A text of about 1000 tokens by the vendor's figures. */
const LONG = sizeOf('word '.repeat(800));

describe('the start', () => {
  /** Tokens that the vendors' own counters gave for texts of these kinds. */
  test.each([
    ['English, Qwen', 'qwen', 'a'.repeat(364), 73],
    ['Chinese, Qwen', 'qwen', '字'.repeat(146), 91],
    ['digits and dates, Qwen', 'qwen', `${'1'.repeat(90)}${'-'.repeat(37)}`, 96],
    ['source text, Qwen', 'qwen', 'x'.repeat(439), 117],
    ['Chinese by the documented rule, Ernie', 'ernie', '字'.repeat(100), 100],
    ['Chinese by the documented rule, GLM', 'glm', '字'.repeat(160), 100],
  ])('%s: covered, and not by more than half again and the template', (_name, vendor, text, counted) => {
    const estimate = fresh().promptTokens({ vendor, model: 'listed' }, sizeOf(text));
    expect(estimate).toBeGreaterThanOrEqual(counted);
    expect(estimate).toBeLessThanOrEqual(1.5 * counted + 40);
  });

  test('2,048 tokens of output', () => expect(fresh().outputTokens(LISTED)).toBe(2048));
});

describe('properties', () => {
  const counts = fc.array(
    fc.record({ prompt: fc.oneof(fc.nat(1e6), fc.double()), completion: fc.option(fc.oneof(fc.nat(1e6), fc.double())) }),
    {
      maxLength: 200,
    },
  );

  test('whatever vendors count, the estimate stays within a quarter and four times the start', () => {
    fc.assert(
      fc.property(counts, fc.string({ maxLength: 200 }), (seen, text) => {
        const calibration = fresh();
        const size = sizeOf(text);
        const start = calibration.promptTokens(LISTED, size);
        for (const counted of seen) calibration.learn(LISTED, LONG, counted);
        const estimate = calibration.promptTokens(LISTED, size);
        expect(estimate).toBeGreaterThanOrEqual(Math.floor(start / 4));
        expect(estimate).toBeLessThanOrEqual(4 * start);
        expect(calibration.outputTokens(LISTED)).toBeGreaterThanOrEqual(16);
        expect(calibration.outputTokens(LISTED)).toBeLessThanOrEqual(131_072);
      }),
    );
  });

  test('a longer prompt is never estimated shorter', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), counts, (text, more, seen) => {
        const calibration = fresh();
        for (const counted of seen) calibration.learn(LISTED, LONG, counted);
        expect(calibration.promptTokens(LISTED, sizeOf(text + more))).toBeGreaterThanOrEqual(
          calibration.promptTokens(LISTED, sizeOf(text)),
        );
      }),
    );
  });
});

test.each([400, 800, 2000])('learns that such a prompt has %i tokens', (tokens) => {
  const calibration = fresh();
  for (let count = 0; count < 500; count++) calibration.learn(LISTED, LONG, { prompt: tokens, completion: null });
  expect(calibration.promptTokens(LISTED, LONG) / tokens).toBeGreaterThan(0.9);
  expect(calibration.promptTokens(LISTED, LONG) / tokens).toBeLessThan(1.15);
});

test('learns how much a model writes, from open requests only', () => {
  const calibration = fresh();
  for (let count = 0; count < 600; count++) calibration.learn(LISTED, LONG, { prompt: 1000, completion: null });
  expect(calibration.outputTokens(LISTED)).toBe(2048);
  for (let count = 0; count < 600; count++) calibration.learn(LISTED, LONG, { prompt: 1000, completion: 100 });
  expect(calibration.outputTokens(LISTED)).toBeLessThan(150);
  expect(calibration.outputTokens(LISTED)).toBeGreaterThan(80);
});

test('models are apart, new ones begin where their vendor stands, other vendors know nothing of it', () => {
  const calibration = fresh();
  for (let count = 0; count < 500; count++) calibration.learn(LISTED, LONG, { prompt: 3000, completion: 5000 });
  const learned = calibration.promptTokens(LISTED, LONG);
  const other = { vendor: 'qwen', model: 'listed-too' };
  expect(Math.abs(calibration.promptTokens(other, LONG) / learned - 1)).toBeLessThan(0.1);
  expect(calibration.outputTokens({ vendor: 'glm', model: 'listed' })).toBe(2048);
  for (let count = 0; count < 500; count++) calibration.learn(other, LONG, { prompt: 500, completion: 5000 });
  expect(calibration.promptTokens(LISTED, LONG)).toBe(learned);
});

test('a model that nobody has listed gets no memory: its vendor’s figures serve it', () => {
  const calibration = fresh();
  const invented = { vendor: 'qwen', model: 'invented' };
  for (let count = 0; count < 500; count++) calibration.learn(invented, LONG, { prompt: 3000, completion: null });
  expect(calibration.promptTokens({ vendor: 'qwen', model: 'never-seen' }, LONG)).toBeGreaterThan(2500);
  for (let count = 0; count < 800; count++) calibration.learn(LISTED, LONG, { prompt: 500, completion: null });
  expect(calibration.promptTokens(invented, LONG)).toBe(calibration.promptTokens({ vendor: 'qwen', model: 'never-seen' }, LONG));
  expect(calibration.promptTokens(invented, LONG)).toBeLessThan(800);
});

test('a prompt with pictures teaches nothing of text', () => {
  const calibration = fresh();
  const before = calibration.promptTokens(LISTED, LONG);
  for (let count = 0; count < 100; count++) calibration.learn(LISTED, { ...LONG, images: 1 }, { prompt: 100_000, completion: null });
  expect(calibration.promptTokens(LISTED, LONG)).toBe(before);
});
