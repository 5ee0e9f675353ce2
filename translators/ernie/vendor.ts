import type { VendorFacts } from '../vendor-facts.ts';

/** Baidu AI Cloud Qianfan, v2: mainland China only. The base URL takes no `/v1` behind it. The token plan is a subscription for coding tools. */
export const ernieVendor: VendorFacts = {
  defaultRegion: 'cn',
  regions: ['cn', 'cn-token-plan'],
  baseUrls: { cn: 'https://qianfan.baidubce.com/v2', 'cn-token-plan': 'https://qianfan.baidubce.com/v2/tokenplan/personal' },
  // The first interface, and its sign-in: off since 2026-08-31.
  formerUrls: /^https?:\/\/aip\.baidubce\.com\b|\/wenxinworkshop\b/i,
  protocols: ['compatible'],
  traceName: 'baidu.qianfan',
  modelLists: { compatible: '/models' },
  plans: ['cn-token-plan'],
  requires: ['apiKey'],
  // Qianfan: tokens ≈ Chinese characters + 1.3 × English words.
  charsPerToken: { letter: 4, digit: 1, other: 1 },
  options: ['appId', 'accessKey'],
};
