import type { Vendors } from '../config/vendors.ts';

/**
 * The vendors as the generated documentation shows them. Only names, regions and protocols reach it; the relay itself
 * takes them from the registry of translators.
 */
export const DOCUMENTED_VENDORS: Vendors = {
  qwen: {
    defaultRegion: 'cn-beijing',
    regions: ['cn-beijing', 'ap-southeast-1', 'us-east-1', 'cn-hongkong', 'eu-central-1', 'ap-northeast-1'],
    // Qwen: Frankfurt and Tokyo have addresses per workspace only.
    baseUrls: {
      'cn-beijing': 'https://dashscope.aliyuncs.com/compatible-mode/v1',
      'ap-southeast-1': 'https://dashscope-intl.aliyuncs.com/compatible-mode/v1',
      'us-east-1': 'https://dashscope-us.aliyuncs.com/compatible-mode/v1',
      'cn-hongkong': 'https://cn-hongkong.dashscope.aliyuncs.com/compatible-mode/v1',
    },
    protocols: ['compatible'],
    requires: ['apiKey'],
  },
  ernie: {
    defaultRegion: 'cn',
    regions: ['cn'],
    baseUrls: { cn: 'https://qianfan.baidubce.com/v2' },
    protocols: ['compatible'],
    requires: ['apiKey'],
    options: ['appId', 'accessKey'],
  },
  glm: {
    defaultRegion: 'cn',
    regions: ['cn', 'intl'],
    baseUrls: { cn: 'https://open.bigmodel.cn/api/paas/v4', intl: 'https://api.z.ai/api/paas/v4' },
    protocols: ['compatible'],
    requires: ['apiKey'],
    options: ['jwt'],
  },
};
