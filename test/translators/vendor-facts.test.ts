import { expect, test } from 'vitest';
import type { VendorFacts as Configured, Vendors } from '../../config/vendors.ts';
import { VENDORS } from '../../translators/registry.ts';
import type { VendorFacts } from '../../translators/vendor-facts.ts';

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** By the compiler: a field that only one of them had, or had otherwise, would be lost in silence where it is optional. */
const SAME: Same<{ [Field in keyof Configured]: VendorFacts[Field] }, { [Field in keyof Configured]: Configured[Field] }> = true;

test('what vendors tell of themselves is what the configuration asks of them', () => {
  const vendors: Vendors = VENDORS;
  expect([SAME, Object.keys(vendors)]).toEqual([true, ['qwen', 'ernie', 'glm']]);
});
