import type { VendorFacts } from '../vendor-facts.ts';

/** Alibaba Cloud Model Studio (DashScope). Frankfurt and Tokyo have addresses per workspace only: they need a `baseUrl`. */
export const qwenVendor: VendorFacts = {
  defaultRegion: 'cn-beijing',
  regions: ['cn-beijing', 'ap-southeast-1', 'us-east-1', 'cn-hongkong', 'eu-central-1', 'ap-northeast-1'],
  baseUrls: {
    'cn-beijing': 'https://dashscope.aliyuncs.com/compatible-mode/v1',
    'ap-southeast-1': 'https://dashscope-intl.aliyuncs.com/compatible-mode/v1',
    'us-east-1': 'https://dashscope-us.aliyuncs.com/compatible-mode/v1',
    'cn-hongkong': 'https://cn-hongkong.dashscope.aliyuncs.com/compatible-mode/v1',
  },
  protocols: ['compatible'],
  requires: ['apiKey'],
  // Qwen's billing page: about 1.5 to 1.8 Chinese characters a token, or an English word. Its tokenizer splits every digit.
  charsPerToken: { letter: 4, digit: 1, other: 1.5 },
};
