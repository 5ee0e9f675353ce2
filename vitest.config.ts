import { fileURLToPath } from 'node:url';
import { configDefaults, defineConfig } from 'vitest/config';
import { nginx, postgresBin, prometheus, pythonSdk, redisServer } from './test/services.ts';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: [
      ...configDefaults.exclude,
      ...(redisServer() === null ? ['test/**/*redis*.test.ts'] : []),
      ...(postgresBin() === null ? ['test/**/*postgres*.test.ts'] : []),
      ...(prometheus() === null ? ['test/**/*prometheus*.test.ts'] : []),
      ...(nginx() === null ? ['test/**/*nginx*.test.ts'] : []),
      ...(pythonSdk() === null ? ['test/**/*python*.test.ts'] : []),
    ],
    // Of the relays and commands that tests start, hundreds of them: reading the sources is half of what a start costs.
    env: { NODE_COMPILE_CACHE: fileURLToPath(new URL('.cache/compiled', import.meta.url)) },
    testTimeout: 60_000,
    hookTimeout: 60_000,
    pool: 'forks',
    maxWorkers: 2,
    chaiConfig: { truncateThreshold: 400 },
  },
});
