/** What holds for every backend holds for Qwen's own protocol: the same tables, on a backend of `protocol: native`. */
import { describe } from 'vitest';
import { onlyNativeQwen } from './vendors.ts';

onlyNativeQwen();

const FILES = [
  'chat',
  'tools',
  'json',
  'parameters',
  'reasoning',
  'receipts',
  'errors',
  'error-codes',
  'wire',
  'abort',
  'silence',
  'any-request',
  'known-clients',
];

describe.each(FILES)('native, %s', async (name) => {
  await import(`./${name}.test.ts`);
});
