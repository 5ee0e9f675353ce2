import { randomBytes } from 'node:crypto';
import type { Config } from '../config/config.ts';
import { parseConfig } from '../config/load.ts';
import { formatProblem } from '../config/problem.ts';
import { VENDORS } from '../translators/registry.ts';
import type { StartedSimulator } from './simulate.ts';

/** A relay on the simulator: no vendor account, no Redis, no file. */
export interface FirstRun {
  readonly config: Config;
  /** Made for this run, shown once. */
  readonly key: string;
}

/** The names that apps hard-code → simulated models; the patterns catch every other OpenAI name. */
const MODELS = `
models:
  gpt-4o: [qwen/qwen-plus, glm/glm-4.6]
  gpt-4o-mini: [{ to: glm/glm-4.5-air, weight: 3 }, { to: ernie/ernie-4.5-turbo-128k, weight: 1 }]
  gpt-4: [ernie/ernie-5.1]
  gpt-4-turbo: [ernie/ernie-5.1]
  gpt-3.5-turbo: [ernie/ernie-4.5-turbo-128k]
  gpt-4.1: [glm/glm-4.7]
  gpt-5: [qwen/qwen3.7-plus]
  o3: [qwen/qwen3.7-plus]
  text-embedding-3-small: [qwen/text-embedding-v4]
  text-embedding-3-large: [qwen/text-embedding-v4]
  text-embedding-ada-002: [qwen/text-embedding-v4]
  'gpt-*': [qwen/qwen-plus]
  'o1*': [qwen/qwen3.7-plus]
  'o3*': [qwen/qwen3.7-plus]
  'o4*': [qwen/qwen3.7-plus]
  'chatgpt-*': [qwen/qwen-plus]
`;

/** The configuration of the first run, as a file would say it. */
export function firstRun({ vendors }: Pick<StartedSimulator, 'vendors'>): FirstRun {
  const key = `sk-estafet-${randomBytes(24).toString('base64url')}`;
  const env: Record<string, string> = { ESTAFET_FIRST_KEY: key };
  const backends = Object.entries(vendors).map(([vendor, { baseUrl, key: vendorKey }]) => {
    env[`SIMULATED_${vendor.toUpperCase()}`] = vendorKey;
    return `  ${vendor}: { vendor: ${vendor}, baseUrl: '${baseUrl}', apiKey: 'env:SIMULATED_${vendor.toUpperCase()}' }`;
  });
  // Whoever only tries it out finds no file left behind.
  const text = `database: 'memory:'
backends:
${backends.join('\n')}
${MODELS}
teams:
  default: { permit: { vendors: [${Object.keys(vendors).join(', ')}], regions: ['*'], callers: [127.0.0.0/8, '::1'] } }
keys:
  - { name: first-run, team: default, key: 'env:ESTAFET_FIRST_KEY' }
`;
  const result = parseConfig(text, { file: 'first run', env, readFile: noFiles, vendors: VENDORS });
  if (!result.ok) throw new Error(`the built-in configuration is wrong:\n${result.problems.map(formatProblem).join('\n')}`);
  return { config: result.config, key };
}

const noFiles = (path: string): never => {
  throw new Error(`no file is read in the first run: ${path}`);
};

/** What a person sees after the first command. */
export function greeting(url: string, key: string): string {
  return `
Estafet is running on its built-in simulator of Qwen, Ernie and GLM (no configuration file was given).

  base URL  ${url}/v1
  API key   ${key}

Try it:

  curl ${url}/v1/chat/completions -H 'authorization: Bearer ${key}' -H 'content-type: application/json' -d '{"model":"gpt-4o","messages":[{"role":"user","content":"Hello!"}]}'

The key is valid until this process ends. To use real backends, write an estafet.yaml: see docs/guide/configuration.md.
`;
}
