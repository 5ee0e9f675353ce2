/** Every address that the vendors' documents name, as a region of a backend. */
import { describe, expect, test } from 'vitest';
import { VENDORS } from '../../translators/registry.ts';
import { accepted, GOOD, problemsOf } from '../config/setup.ts';

const written = (backend: string): string => GOOD.replace('backends:', `backends:\n  b: { ${backend}, apiKey: env:QWEN_KEY }`);

/** [vendor, region, compatible, native or null] */
const ADDRESSES: readonly (readonly [string, string, string, string | null])[] = [
  ['qwen', 'cn-beijing', 'https://dashscope.aliyuncs.com/compatible-mode/v1', 'https://dashscope.aliyuncs.com/api/v1'],
  ['qwen', 'ap-southeast-1', 'https://dashscope-intl.aliyuncs.com/compatible-mode/v1', 'https://dashscope-intl.aliyuncs.com/api/v1'],
  ['qwen', 'us-east-1', 'https://dashscope-us.aliyuncs.com/compatible-mode/v1', 'https://dashscope-us.aliyuncs.com/api/v1'],
  [
    'qwen',
    'cn-hongkong',
    'https://cn-hongkong.dashscope.aliyuncs.com/compatible-mode/v1',
    'https://cn-hongkong.dashscope.aliyuncs.com/api/v1',
  ],
  ...['cn-beijing', 'ap-southeast-1', 'us-east-1', 'cn-hongkong', 'eu-central-1', 'ap-northeast-1'].map(
    (zone) =>
      [
        'qwen',
        `${zone}-trial`,
        `https://trial.${zone}.maas.aliyuncs.com/compatible-mode/v1`,
        `https://trial.${zone}.maas.aliyuncs.com/api/v1`,
      ] as const,
  ),
  ['qwen', 'cn-beijing-token-plan', 'https://token-plan.cn-beijing.maas.aliyuncs.com/compatible-mode/v1', null],
  ['qwen', 'ap-southeast-1-token-plan', 'https://token-plan.ap-southeast-1.maas.aliyuncs.com/compatible-mode/v1', null],
  ['qwen', 'cn-beijing-coding-plan', 'https://coding.dashscope.aliyuncs.com/v1', null],
  ['qwen', 'ap-southeast-1-coding-plan', 'https://coding-intl.dashscope.aliyuncs.com/v1', null],
  ['ernie', 'cn', 'https://qianfan.baidubce.com/v2', null],
  ['ernie', 'cn-token-plan', 'https://qianfan.baidubce.com/v2/tokenplan/personal', null],
  ['glm', 'cn', 'https://open.bigmodel.cn/api/paas/v4', null],
  ['glm', 'intl', 'https://api.z.ai/api/paas/v4', null],
  ['glm', 'cn-coding-plan', 'https://open.bigmodel.cn/api/coding/paas/v4', null],
  ['glm', 'intl-coding-plan', 'https://api.z.ai/api/coding/paas/v4', null],
];

describe.each(ADDRESSES)('%s in %s', (vendor, region, compatible, native) => {
  test('is reached at the documented address, with a warning where it is a plan', () => {
    const { config, warnings } = accepted(written(`vendor: ${vendor}, region: ${region}`));
    expect(config.backends['b']).toMatchObject({ protocol: 'compatible', region, baseUrl: compatible });
    expect(warnings.some((text) => text.includes('subscription plan for coding tools'))).toBe(region.endsWith('-plan'));
  });

  test('speaks its own protocol there, or says that it does not', () => {
    const text = written(`vendor: ${vendor}, region: ${region}, protocol: native`);
    if (native === null) expect(problemsOf(text).join()).toContain('does not have the protocol "native"');
    else expect(accepted(text).config.backends['b']).toMatchObject({ protocol: 'native', region, baseUrl: native });
  });
});

test('no region of the code is missing in the table, but those whose addresses are per workspace', () => {
  const all = Object.entries(VENDORS).flatMap(([vendor, { regions }]) => regions.map((region) => `${vendor} ${region}`));
  expect(all.filter((place) => !ADDRESSES.some(([vendor, region]) => `${vendor} ${region}` === place))).toEqual([
    'qwen eu-central-1',
    'qwen ap-northeast-1',
  ]);
});

describe.each(['cn-beijing', 'ap-southeast-1', 'us-east-1', 'cn-hongkong', 'eu-central-1', 'ap-northeast-1'])(
  'a workspace in %s',
  (region) => {
    test.each([
      ['compatible', '/compatible-mode/v1'],
      ['native', '/api/v1'],
    ])('%s', (protocol, path) => {
      const { config, warnings } = accepted(written(`vendor: qwen, region: ${region}, protocol: ${protocol}, workspace: llm-Abc1`));
      expect(config.backends['b']).toMatchObject({ region, baseUrl: `https://llm-abc1.${region}.maas.aliyuncs.com${path}` });
      expect(config.backends['b']).not.toHaveProperty('workspace');
      expect(warnings.filter((text) => text.includes('backends.b'))).toEqual([]);
    });

    test('its host is in that region, whatever the label says', () => {
      const label = region === 'cn-beijing' ? 'us-east-1' : 'cn-beijing';
      const baseUrl = `https://llm-abc1.${region}.maas.aliyuncs.com/compatible-mode/v1`;
      expect(problemsOf(written(`vendor: qwen, region: ${label}, baseUrl: "${baseUrl}"`)).join()).toContain(
        `is in region ${region}, not ${label}`,
      );
      expect(accepted(written(`vendor: qwen, region: ${region}, baseUrl: "${baseUrl}"`)).config.backends['b']?.baseUrl).toBe(baseUrl);
    });
  },
);
