/** There is no engine to start them with in the tests: what can be read is held to the tree and to the relay's own loader. */
import { existsSync, readFileSync } from 'node:fs';
import { BlockList } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { parseConfig } from '../../config/load.ts';
import { formatProblem } from '../../config/problem.ts';
import { VENDORS } from '../../translators/registry.ts';

const folder = 'deploy/compose';
const read = (file: string): string => readFileSync(join(folder, file), 'utf8');

interface Service {
  readonly image: string;
  readonly volumes?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly depends_on?: readonly string[] | Readonly<Record<string, unknown>>;
  readonly read_only?: boolean;
  readonly ports?: readonly string[];
  readonly networks?: { readonly default: { readonly ipv4_address: string } };
}
const compose = parse(read('compose.yaml'), { merge: true }) as {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: object;
  readonly networks: { readonly default: { readonly ipam: { readonly config: readonly { readonly subnet: string }[] } } };
};
const services = Object.entries(compose.services);

test.each(services)('%s: what it mounts, needs and depends on is there', (_, { volumes = [], depends_on = [] }) => {
  for (const volume of volumes) {
    const [source = ''] = volume.split(':');
    if (source.startsWith('.')) expect(existsSync(join(folder, source)), source).toBe(true);
    else expect(Object.keys(compose.volumes)).toContain(source);
  }
  for (const other of Array.isArray(depends_on) ? depends_on : Object.keys(depends_on))
    expect(Object.keys(compose.services)).toContain(other);
});

test.each(services)('%s: one version of its image, and no port for the network', (_, { image, ports = [] }) => {
  expect(image).toMatch(/:[\w.]+$/);
  expect(image).not.toContain(':latest');
  for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:/);
});

test('every variable is one that the examples name', () => {
  const asked = [...read('compose.yaml').matchAll(/\$\{(\w+)/g)].map((match) => match[1]);
  const named = read('.env.example').match(/^\w+/gm) ?? [];
  expect([...new Set(asked)].sort()).toEqual([...named].sort());
});

test('the configuration is one the relay takes, with the variables the relays are given', () => {
  const given = compose.services['relay-1']?.environment ?? {};
  const file = Object.fromEntries((read('estafet.env.example').match(/^\w+/gm) ?? []).map((name) => [name, 'vendor-key-0123456789']));
  const env = { ...file, ...given, DATABASE_URL: 'postgres://estafet:secret@postgres:5432/estafet' };
  const noFiles = (path: string): never => {
    throw new Error(`nothing is read: ${path}`);
  };
  const result = parseConfig(read('estafet.yaml'), { file: 'estafet.yaml', env, readFile: noFiles, vendors: VENDORS });
  expect(result.ok ? [] : result.problems.map(formatProblem)).toEqual([]);
});

test('the relays believe nginx alone where a request comes from, at its address of the project’s network', () => {
  const address = compose.services.front?.networks?.default.ipv4_address ?? '';
  const { server } = parse(read('estafet.yaml')) as { server: { trustedProxies: string[] } };
  expect(server.trustedProxies).toEqual([address]);
  const [net = '', bits] = compose.networks.default.ipam.config[0]?.subnet.split('/') ?? [];
  const list = new BlockList();
  list.addSubnet(net, Number(bits));
  expect(list.check(address)).toBe(true);
  // What a caller wrote into it itself is passed on, but stands left of what nginx adds.
  expect(read('nginx.conf')).toMatch(/^ *proxy_set_header X-Forwarded-For \$proxy_add_x_forwarded_for;$/m);
});

test('both relays are alike, and stand behind the front and before Prometheus', () => {
  const { 'relay-1': one, 'relay-2': other } = compose.services;
  expect(other).toEqual(one);
  expect(one?.read_only).toBe(true);
  for (const relay of ['relay-1', 'relay-2']) {
    // `resolve`: nginx would keep the address that a relay had when nginx started.
    expect(read('nginx.conf')).toContain(`server ${relay}:8080 resolve `);
    expect(read('prometheus.yml')).toContain(`${relay}:9464`);
  }
  // What `resolve` needs: the zone, a resolver, and nginx 1.27.3 or newer.
  expect(read('nginx.conf')).toMatch(/^resolver 127\.0\.0\.11 /m);
  expect(read('nginx.conf')).toMatch(/^ {2}zone \w+ /m);
  const [, minor = 0] = /^nginx:1\.(\d+)/.exec(compose.services.front?.image ?? '') ?? [];
  expect(Number(minor)).toBeGreaterThanOrEqual(28);
});
