/** One folder's rule. Within a folder everything is allowed. */
export interface ImportRule {
  readonly folder: string;
  /** Folders or files of ours that may be imported. */
  readonly may: readonly string[];
  /** Those of which only types may be. */
  readonly types?: readonly string[];
  /** False: no `node:` module. */
  readonly node?: false;
  /** False: no package. */
  readonly packages?: false;
}

/**
 * The layers of the tree, bottom up. The domain (`relay/`) knows the translator's interface and never a vendor; the simulator shares
 * nothing with what it tests; only `server/` and `cli/` put things together.
 */
export const IMPORT_RULES: readonly ImportRule[] = [
  { folder: 'openai', may: [], packages: false },
  { folder: 'catalog', may: [] },
  { folder: 'config', may: [] },
  { folder: 'translators', may: ['openai'], node: false, packages: false },
  {
    folder: 'relay',
    may: ['openai', 'config/glob.ts', 'translators/translator.ts', 'translators/vectors-translator.ts', 'translators/receipt.ts'],
    types: ['config', 'catalog'],
  },
  { folder: 'routes', may: ['relay', 'openai'], types: ['config'] },
  { folder: 'server', may: ['catalog', 'config', 'openai', 'relay', 'routes', 'translators'] },
  { folder: 'cli', may: ['catalog', 'config', 'openai', 'relay', 'routes', 'scorecard', 'server', 'translators'] },
  { folder: 'simulator', may: [] },
  // It judges by what came over HTTP: what it shared with the relay it could not see wrong.
  { folder: 'scorecard', may: [], node: false, packages: false },
  { folder: 'bench', may: ['openai', 'translators', 'relay', 'config', 'catalog', 'server'] },
  {
    folder: 'tools',
    may: ['openai', 'config', 'translators', 'catalog', 'server/telemetry', 'test/services.ts', 'scorecard', 'cli/scorecard-simulated.ts'],
  },
];
