import type { VendorFacts } from '../vendor-facts.ts';

/** Hosts that any key of their region may call. Frankfurt and Tokyo have none, only addresses of workspaces. */
const SHARED: Readonly<Record<string, string>> = {
  'cn-beijing': 'https://dashscope.aliyuncs.com',
  'ap-southeast-1': 'https://dashscope-intl.aliyuncs.com',
  'us-east-1': 'https://dashscope-us.aliyuncs.com',
  'cn-hongkong': 'https://cn-hongkong.dashscope.aliyuncs.com',
};

const ZONES = ['cn-beijing', 'ap-southeast-1', 'us-east-1', 'cn-hongkong', 'eu-central-1', 'ap-northeast-1'] as const;

/** Hosts with low limits, for trials. */
const TRIAL = Object.fromEntries(ZONES.map((zone) => [`${zone}-trial`, `https://trial.${zone}.maas.aliyuncs.com`]));

/** Subscriptions with keys of their own (`sk-sp-…`), for coding tools; none has the native protocol. */
const PLANS: Readonly<Record<string, string>> = {
  'cn-beijing-token-plan': 'https://token-plan.cn-beijing.maas.aliyuncs.com/compatible-mode/v1',
  'ap-southeast-1-token-plan': 'https://token-plan.ap-southeast-1.maas.aliyuncs.com/compatible-mode/v1',
  'cn-beijing-coding-plan': 'https://coding.dashscope.aliyuncs.com/v1',
  'ap-southeast-1-coding-plan': 'https://coding-intl.dashscope.aliyuncs.com/v1',
};

const paid = { ...SHARED, ...TRIAL };
const under = (path: string): Record<string, string> =>
  Object.fromEntries(Object.entries(paid).map(([region, host]) => [region, `${host}${path}`]));

/** Alibaba Cloud Model Studio (DashScope). Keys are bound to their region and to their plan. */
export const qwenVendor: VendorFacts = {
  defaultRegion: 'cn-beijing',
  regions: [...ZONES, ...Object.keys(TRIAL), ...Object.keys(PLANS)],
  baseUrls: { ...under('/compatible-mode/v1'), ...PLANS },
  protocols: ['compatible', 'native'],
  traceName: 'alibaba.dashscope',
  protocolUrls: { native: under('/api/v1') },
  workspaces: {
    regions: ZONES,
    hostSuffix: '.{region}.maas.aliyuncs.com',
    paths: { compatible: '/compatible-mode/v1', native: '/api/v1' },
  },
  modelLists: { compatible: '/models', native: '/models?page_no=1&page_size=1' },
  plans: Object.keys(PLANS),
  requires: ['apiKey'],
  // Qwen's billing page: about 1.5 to 1.8 Chinese characters a token, or an English word. Its tokenizer splits every digit.
  charsPerToken: { letter: 4, digit: 1, other: 1.5 },
};
