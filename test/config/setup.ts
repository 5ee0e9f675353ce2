import { type ConfigResult, parseConfig } from '../../config/load.ts';
import { formatProblem } from '../../config/problem.ts';
import { VENDORS as DOCUMENTED_VENDORS } from '../../translators/registry.ts';

export const vendors = DOCUMENTED_VENDORS;

export const ENV = {
  QWEN_KEY: 'sk-qwen-secret-1',
  GLM_KEY: 'id.glm-secret-2',
  APP_KEY: 'app-secret-key-number-3',
  EMPTY: '',
  SPACED: 'a b',
  APP_IN_KEY: 'bce-v3/ALTAK-1/2|app-2',
};

/** A smallest good file; tests append to it or replace parts of it. */
export const GOOD = `backends:
  qwen: { vendor: qwen, apiKey: \${QWEN_KEY} }
teams:
  t: { permit: { vendors: [qwen], regions: ["*"] } }
keys:
  - { name: app, team: t, key: "\${APP_KEY}" }
`;

export const noFile = (path: string): Uint8Array => {
  throw Object.assign(new Error(`ENOENT: ${path}`), { code: 'ENOENT' });
};

export function parse(text: string, readFile = noFile): ConfigResult {
  return parseConfig(text, { file: 'estafet.yaml', env: ENV, readFile, vendors });
}

/** All problems as printed; throws for a good file. */
export function problemsOf(text: string, readFile = noFile): string[] {
  const result = parse(text, readFile);
  if (result.ok) throw new Error('expected a refused file');
  return result.problems.map(formatProblem);
}

/** The configuration and its printed warnings; throws for a refused file. */
export function accepted(text: string, readFile = noFile) {
  const result = parse(text, readFile);
  if (!result.ok) throw new Error(result.problems.map(formatProblem).join('\n'));
  return { config: result.config, warnings: result.warnings.map(formatProblem) };
}
