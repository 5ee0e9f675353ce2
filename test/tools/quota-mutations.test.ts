import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { QUOTA_MUTATIONS } from '../../tools/quota-mutations.ts';

test.each(QUOTA_MUTATIONS)('$name: the rule is there to be broken', ({ file, from }) => {
  expect(readFileSync(new URL(`../../relay/quota/${file}`, import.meta.url), 'utf8').split(from)).toHaveLength(2);
});
