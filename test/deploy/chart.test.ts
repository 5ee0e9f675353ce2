/** Rendering needs helm, which the tests do without: they hold templates to values, and values to their schema. */
import { globSync, readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import { expect, test } from 'vitest';
import { parse } from 'yaml';

const chart = 'deploy/helm/estafet';
const values = parse(readFileSync(`${chart}/values.yaml`, 'utf8')) as Record<string, unknown>;
const schema = JSON.parse(readFileSync(`${chart}/values.schema.json`, 'utf8')) as object;
const templates = globSync(`${chart}/templates/*`);
const valid = new Ajv({ strictTypes: false }).compile(schema);

test('the values that come with the chart are valid', () => {
  valid(values);
  expect(valid.errors).toBeNull();
});

test.each([
  ['a word that is none', { replicas: 3 }],
  ['no pods', { replicaCount: 0 }],
  ['an ingress without a host', { ingress: { enabled: true } }],
  ['an image without a name', { image: { repository: '' } }],
  ['a drain of nothing', { drainTimeoutMs: 0 }],
  ['a readiness that is none', { readinessPath: '/metrics' }],
])('%s is refused', (_, changed) => {
  expect(valid({ ...values, ...changed })).toBe(false);
});

test.each(templates)('%s asks only for values that there are', (file) => {
  const asked = [...readFileSync(file, 'utf8').matchAll(/\.Values\.([\w.]+)/g)].map((match) => match[1] as string);
  for (const path of asked) {
    let at: unknown = values;
    // What a user puts into `config` is the relay's, not the chart's.
    for (const part of path.replace(/^config\..*/, 'config').split('.')) {
      expect(at, `.Values.${path}`).toHaveProperty(part);
      at = (at as Record<string, unknown>)[part];
    }
  }
});

test('every value is used', () => {
  const text = templates.map((file) => readFileSync(file, 'utf8')).join('\n');
  for (const name of Object.keys(values)) expect(text, name).toMatch(new RegExp(`\\.Values\\.${name}\\b`));
});

test('the chart is of this release', () => {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
  expect(parse(readFileSync(`${chart}/Chart.yaml`, 'utf8'))).toMatchObject({ version, appVersion: version });
});

test('pods run without root, without writing, and without a token of the cluster', () => {
  const deployment = readFileSync(`${chart}/templates/deployment.yaml`, 'utf8');
  for (const line of ['runAsNonRoot: true', 'readOnlyRootFilesystem: true', 'automountServiceAccountToken: false', 'drop: [ALL]']) {
    expect(deployment).toContain(line);
  }
});
