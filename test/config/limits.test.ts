import { expect, test } from 'vitest';
import { MOST_LIMIT } from '../../config/schema-limits.ts';
import { MOST_RATE } from '../../relay/quota/limits.ts';

test('the largest limit of a file is the largest that the engine counts exactly', () => {
  expect(MOST_LIMIT).toBe(MOST_RATE);
});
