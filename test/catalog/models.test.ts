import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect, test } from 'vitest';

const read = (file: string): unknown => JSON.parse(readFileSync(new URL(`../../catalog/${file}`, import.meta.url), 'utf8'));

test('models.json is what its schema says', () => {
  const validate = new Ajv2020({ strict: false }).compile(read('models.schema.json') as object);
  expect([validate(read('models.json')), validate.errors]).toEqual([true, null]);
  const { models } = read('models.json') as { models: object[] };
  expect(validate({ ...(read('models.json') as object), models: [{ ...models[0], context_tokens: 'many' }] })).toBe(false);
});
