// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are references of the configuration, not templates
import { inspect } from 'node:util';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { explainConfig } from '../../config/explain.ts';
import { parseConfig } from '../../config/load.ts';
import { formatProblem } from '../../config/problem.ts';
import { Secret } from '../../config/secret.ts';
import { GOOD, noFile, parse, vendors } from './setup.ts';

/** Long enough not to occur by chance in a digest or a name. */
const secretText = fc.stringMatching(/^[A-Za-z0-9_.+/=-]{24,60}$/);

test('no secret appears in the explanation, in JSON, in inspect or in a warning', () => {
  fc.assert(
    fc.property(secretText, secretText, secretText, (vendorKey, clientKey, password) => {
      fc.pre(new Set([vendorKey, clientKey, password]).size === 3);
      const escaped = encodeURIComponent(password);
      const text = `${GOOD}redis: "redis://:${escaped}@host"\nmodels: { m: [qwen/x] }\n`;
      const env = { QWEN_KEY: vendorKey, APP_KEY: clientKey };
      const result = parseConfig(text, { file: 'f.yaml', env, readFile: noFile, vendors });
      if (!result.ok) throw new Error(result.problems.map(formatProblem).join('\n'));
      const { config, warnings } = result;
      expect(config.backends['qwen']?.apiKey?.reveal()).toBe(vendorKey);
      const shown = [
        explainConfig(config, warnings),
        JSON.stringify(config),
        inspect(config, { depth: null, showHidden: true, getters: true }),
        `${config.backends['qwen']?.apiKey}`,
        JSON.stringify(structuredClone({ ...config.backends['qwen'] })),
      ].join('\n');
      for (const secret of [vendorKey, clientKey, password, escaped]) expect(shown).not.toContain(secret);
    }),
  );
});

test('a literal secret in the file is in no problem', () => {
  fc.assert(
    fc.property(secretText, fc.constantFrom('apiKey', 'key'), fc.constantFrom('', '"', "'"), (secret, place, quote) => {
      const written = `${quote}${secret}${quote}`;
      const result = parse(place === 'apiKey' ? GOOD.replace('${QWEN_KEY}', written) : GOOD.replace('"${APP_KEY}"', written));
      if (result.ok) throw new Error('a literal secret was accepted');
      expect(JSON.stringify(result.problems)).not.toContain(secret);
    }),
  );
});

test('Secret gives its value only when asked', () => {
  const secret = new Secret('hunter2-hunter2');
  expect([String(secret), JSON.stringify({ secret }), inspect(secret), Object.keys(secret), `${secret}`]).toEqual([
    '***',
    '{"secret":"***"}',
    '***',
    [],
    '***',
  ]);
  expect(secret.reveal()).toBe('hunter2-hunter2');
});
