import { ernieVendor } from './ernie/vendor.ts';
import { glmVendor } from './glm/vendor.ts';
import type { Vendor } from './kernel/types.ts';
import { qwenVendor } from './qwen/vendor.ts';

/** The simulated vendors, one line each. */
export const VENDORS: readonly Vendor[] = [
  qwenVendor, // keep first: the default port goes to it
  ernieVendor,
  glmVendor,
];
