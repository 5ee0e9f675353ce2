import type { VendorFacts } from '../vendor-facts.ts';

/** Zhipu: `cn` is bigmodel.cn and bills CNY, `intl` is z.ai and bills USD; a key works on one of them. */
export const glmVendor: VendorFacts = {
  defaultRegion: 'cn',
  regions: ['cn', 'intl'],
  baseUrls: { cn: 'https://open.bigmodel.cn/api/paas/v4', intl: 'https://api.z.ai/api/paas/v4' },
  protocols: ['compatible'],
  requires: ['apiKey'],
  options: ['jwt'],
};
