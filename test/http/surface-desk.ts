import { digestOf, KEY, openSimulated, type SimulatedDesk } from './desk.ts';

export const GPT_ONLY = 'sk-test-key-for-gpt-names-only-01';
export const OUTSIDE = 'sk-test-key-from-another-network';
export const NOTHING = 'sk-test-key-of-a-team-without-any';

/** A relay in front of the simulator, with keys of every sort. */
export const openSurface = (): Promise<SimulatedDesk> =>
  openSimulated(
    '',
    `models:
  gpt-4o: [qwen/qwen-plus]
  gpt-4o-mini: [{ to: qwen/qwen-plus, weight: 1 }, { to: glm/glm-4.6, weight: 1 }]
  'house/chat:latest': [glm/glm-4.6]
  'o*': [qwen/qwen-plus]
  tuned: [glm/house-tuned]
teams:
  t: { permit: { vendors: [qwen, glm], regions: ['*'] } }
  none: {}
keys:
  - { name: app, team: t, key: '${digestOf(KEY)}' }
  - { name: gpt, team: t, key: '${digestOf(GPT_ONLY)}', permit: { models: ['gpt-*'] } }
  - { name: far, team: t, key: '${digestOf(OUTSIDE)}', permit: { callers: [10.0.0.0/8] } }
  - { name: void, team: none, key: '${digestOf(NOTHING)}' }
`,
  );
