import type { VendorFacts } from '../vendor-facts.ts';

/** Baidu AI Cloud Qianfan, v2: mainland China only. The base URL takes no `/v1` behind it. */
export const ernieVendor: VendorFacts = {
  defaultRegion: 'cn',
  regions: ['cn'],
  baseUrls: { cn: 'https://qianfan.baidubce.com/v2' },
  protocols: ['compatible'],
  requires: ['apiKey'],
  // Qianfan: tokens ≈ Chinese characters + 1.3 × English words.
  charsPerToken: { letter: 4, digit: 1, other: 1 },
  options: ['appId', 'accessKey'],
};
