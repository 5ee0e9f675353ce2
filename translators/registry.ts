import { ernieEmbeddings } from './ernie/embeddings.ts';
import { ernieRerank } from './ernie/rerank.ts';
import { ernieV2 } from './ernie/v2.ts';
import { ernieVendor } from './ernie/vendor.ts';
import { glmEmbeddings } from './glm/embeddings.ts';
import { glmRerank } from './glm/rerank.ts';
import { glmV4 } from './glm/v4.ts';
import { glmVendor } from './glm/vendor.ts';
import { qwenCompatible } from './qwen/compatible.ts';
import { qwenEmbeddings, qwenNativeEmbeddings } from './qwen/embeddings.ts';
import { qwenNative } from './qwen/native.ts';
import { qwenRerank } from './qwen/rerank.ts';
import { qwenVendor } from './qwen/vendor.ts';
import type { ChatTranslator } from './translator.ts';
import type { ListTranslators } from './vectors-translator.ts';
import type { VendorFacts } from './vendor-facts.ts';

interface Dialect extends Partial<ListTranslators> {
  readonly protocol: string;
  readonly translator: ChatTranslator;
  readonly vendor: VendorFacts;
}

/** Every dialect there is. A new one is its folder and its line here. */
const DIALECTS: readonly Dialect[] = [
  { protocol: 'compatible', translator: qwenCompatible, embedding: qwenEmbeddings, rerank: qwenRerank, vendor: qwenVendor },
  { protocol: 'native', translator: qwenNative, embedding: qwenNativeEmbeddings, rerank: qwenRerank, vendor: qwenVendor },
  { protocol: 'compatible', translator: ernieV2, embedding: ernieEmbeddings, rerank: ernieRerank, vendor: ernieVendor },
  { protocol: 'compatible', translator: glmV4, embedding: glmEmbeddings, rerank: glmRerank, vendor: glmVendor },
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

/** Who speaks to a backend's models of another kind than chat; null when its dialect has none. */
export function vectorsFor<K extends keyof ListTranslators>(kind: K, vendor: string, protocol: string): ListTranslators[K] | null {
  const dialect: Partial<ListTranslators> | undefined = DIALECTS.find(
    (entry) => entry.translator.vendor === vendor && entry.protocol === protocol,
  );
  return dialect?.[kind] ?? null;
}
