import { expect, test } from 'vitest';
import { explainConfig } from '../../config/explain.ts';
import { keyDigest } from '../../config/secret.ts';
import { ENV, parse } from './setup.ts';

test('says in plain lines what leads where', () => {
  const result = parse(`server: { host: "::1", port: 9000 }
backends:
  q: { vendor: qwen, apiKey: env:QWEN_KEY }
  g: { vendor: glm, region: intl, apiKey: env:GLM_KEY }
models:
  gpt-4o: [q/qwen-plus, { to: g/glm-4.6, weight: 2, thinking: off, force: true }]
  plain: { strategy: order, to: [q/qwen-plus] }
  shared: { strategy: weighted, affinity: off, to: [{ to: q/qwen-plus, weight: 2 }, g/glm-4.6] }
  quick: { strategy: latency, affinity: on, to: [q/qwen-plus, g/glm-4.6] }
  hedged: { hedge: p95, to: [q/qwen-plus, g/glm-4.6] }
  soon: { hedge: { after: 800, mostPercent: 5 }, totalDeadlineMs: 20000, to: [q/qwen-plus, g/glm-4.6] }
catalog:
  qwen/own: { family: qwen-plus, contextTokens: 32768 }
teams:
  t: { permit: { vendors: [qwen, glm], regions: ["*"], callers: [10.0.0.0/8] }, limits: { rpm: 5, budget: { amount: 1.5, currency: CNY, per: day } }, onStoreLoss: local, logPrompts: true }
  none: {}
redis: redis://127.0.0.1
keys:
  - { name: app, team: t, key: env:APP_KEY, strict: true, reasoning: hide, onDisconnect: drain, expires: 2030-01-01T00:00:00Z, permit: { models: [gpt-*] } }
`);
  if (!result.ok) throw new Error('expected a good file');
  expect(explainConfig(result.config, result.warnings)).toBe(`estafet.yaml: good, 1 warning
listens on [::1]:9000
backends:
  q: qwen in cn-beijing, https://dashscope.aliyuncs.com/compatible-mode/v1
  g: glm in intl, https://api.z.ai/api/paas/v4
models:
  gpt-4o → q/qwen-plus, g/glm-4.6 (weight 2, thinking off, forced)
  plain → q/qwen-plus; by order
  shared → q/qwen-plus (weight 2), g/glm-4.6; by weighted
  quick → q/qwen-plus, g/glm-4.6; by latency, conversations keep to one candidate
  hedged → q/qwen-plus, g/glm-4.6; by order, hedge after p95 (at most 10% of requests)
  soon → q/qwen-plus, g/glm-4.6; by order, hedge after 800 ms (at most 5% of requests), deadline 20000 ms
catalog:
  qwen/own: family qwen-plus, contextTokens 32768
teams:
  t: vendors qwen glm; regions *; models *; callers 10.0.0.0/8 [rpm 5, budget 1.5 CNY per day], without Redis: local, prompts and answers in the log
  none: no permit, every request is refused
keys:
  app: team t, sha256:${keyDigest(ENV.APP_KEY).slice(0, 12)}…, strict, reasoning hidden, drains on disconnect, expires 2030-01-01T00:00:00.000Z, narrowed to models gpt-*
warnings:
  estafet.yaml:16:3  teams.none: team none has no permit: every request of its keys is refused
`);
});
