import { configDefaults, defineConfig } from 'vitest/config';
import { postgresBin, pythonSdk, redisServer } from './test/services.ts';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: [
      ...configDefaults.exclude,
      ...(redisServer() === null ? ['test/**/*redis*.test.ts'] : []),
      ...(postgresBin() === null ? ['test/**/*postgres*.test.ts'] : []),
      ...(pythonSdk() === null ? ['test/**/*python*.test.ts'] : []),
    ],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    pool: 'forks',
    maxWorkers: 2,
    chaiConfig: { truncateThreshold: 400 },
  },
});
