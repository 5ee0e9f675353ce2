import type { VendorFacts } from '../vendor-facts.ts';

/**
 * Zhipu: `cn` is bigmodel.cn and bills CNY, `intl` is z.ai and bills USD; a key works on one of them. The coding plans are
 * subscriptions for coding tools.
 */
export const glmVendor: VendorFacts = {
  defaultRegion: 'cn',
  regions: ['cn', 'intl', 'cn-coding-plan', 'intl-coding-plan'],
  baseUrls: {
    cn: 'https://open.bigmodel.cn/api/paas/v4',
    intl: 'https://api.z.ai/api/paas/v4',
    'cn-coding-plan': 'https://open.bigmodel.cn/api/coding/paas/v4',
    'intl-coding-plan': 'https://api.z.ai/api/coding/paas/v4',
  },
  protocols: ['compatible'],
  traceName: 'zhipu.bigmodel',
  // No list of models is documented, and where one was seen it lacked models that answer.
  plans: ['cn-coding-plan', 'intl-coding-plan'],
  planKeysLookEmpty: true,
  requires: ['apiKey'],
  // GLM's price pages: about 1.6 Chinese characters a token; nothing is said of the rest.
  charsPerToken: { letter: 4, digit: 1, other: 1.6 },
  options: ['jwt'],
};
