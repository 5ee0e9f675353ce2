import { ernieV2 } from './ernie/v2.ts';
import { ernieVendor } from './ernie/vendor.ts';
import { glmV4 } from './glm/v4.ts';
import { glmVendor } from './glm/vendor.ts';
import { qwenCompatible } from './qwen/compatible.ts';
import { qwenNative } from './qwen/native.ts';
import { qwenVendor } from './qwen/vendor.ts';
import type { ChatTranslator } from './translator.ts';
import type { VendorFacts } from './vendor-facts.ts';

interface Dialect {
  readonly protocol: string;
  readonly translator: ChatTranslator;
  readonly vendor: VendorFacts;
}

/** Every dialect there is. A new one is its folder and its line here. */
const DIALECTS: readonly Dialect[] = [
  { protocol: 'compatible', translator: qwenCompatible, vendor: qwenVendor },
  { protocol: 'native', translator: qwenNative, vendor: qwenVendor },
  { protocol: 'compatible', translator: ernieV2, vendor: ernieVendor },
  { protocol: 'compatible', translator: glmV4, vendor: glmVendor },
];

/** Vendor name → facts, for the configuration. */
export const VENDORS: Readonly<Record<string, VendorFacts>> = Object.fromEntries(
  DIALECTS.map(({ translator, vendor }) => [translator.vendor, vendor]),
);

export const TRANSLATORS: readonly ChatTranslator[] = DIALECTS.map(({ translator }) => translator);

/** The translator of a backend. The configuration has checked that it exists. */
export function translatorFor(vendor: string, protocol: string): ChatTranslator {
  const dialect = DIALECTS.find((entry) => entry.translator.vendor === vendor && entry.protocol === protocol);
  if (dialect === undefined) throw new Error(`no dialect ${protocol} of vendor ${vendor}`);
  return dialect.translator;
}
