import type { Vendor } from './kernel/types.ts';

/** The simulated vendors, one line each. */
export const VENDORS: readonly Vendor[] = [];
