import { digestOf, KEY } from '../http/desk.ts';
import type { Run } from './process.ts';

/** A configuration of one backend that nobody listens behind, unless told where. */
export const FILE = (port: number, more = '', baseUrl = 'http://127.0.0.1:9/v1'): string => `server: { port: ${port}${more} }
backends: { q: { vendor: qwen, baseUrl: '${baseUrl}', apiKey: 'env:BACKEND_KEY' } }
models: { gpt-4o: [q/qwen-plus] }
teams: { t: { permit: { vendors: [qwen], regions: ['*'] } } }
keys: [{ name: app, team: t, key: '${digestOf(KEY)}' }]
`;
export const ENV = { BACKEND_KEY: 'sk-backend-secret' };
export const listening = async (run: Run): Promise<string> => (await run.seen(/listens on (http:\S+)/))[1] as string;
