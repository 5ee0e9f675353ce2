import { configDefaults, defineConfig } from 'vitest/config';
import { postgresBin, redisServer } from './test/services.ts';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: [
      ...configDefaults.exclude,
      ...(redisServer() === null ? ['test/**/*redis*.test.ts'] : []),
      ...(postgresBin() === null ? ['test/**/*postgres*.test.ts'] : []),
    ],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    pool: 'forks',
    // Whole processes on a shared machine are sometimes late; a test that is wrong fails three times.
    retry: process.env['CI'] === 'true' ? 2 : 0,
    maxWorkers: 2,
    chaiConfig: { truncateThreshold: 400 },
  },
});
