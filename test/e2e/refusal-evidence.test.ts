import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { configOf, digestOf, KEY, openRelay } from '../http/desk.ts';
import { country, mmdb } from '../relay/mmdb-writer.ts';

/** What an admin reads of a refusal, and what its caller does not. Every name of the configuration is one that no answer has by chance. */
const [TEAM, NAME, BACKEND, REGION] = ['unseen-team', 'unseen-key', 'unseen-backend', 'unseen-region-9'];
const ASKED = 'asked-for';
const TO = `${BACKEND}/glm-4.6`;
const ALL = { vendors: ['glm'], regions: [REGION] };
const skipped = (rule: string) => [{ to: TO, rule }];

const folder = mkdtempSync(join(tmpdir(), 'estafet-evidence-'));
afterAll(() => rmSync(folder, { recursive: true }));

interface Row {
  readonly name: string;
  /** Absent: the team has none. */
  readonly team?: object;
  readonly key?: object;
  readonly asked?: string;
  readonly status: 403 | 404;
  readonly code: string;
  readonly evidence: object;
}

const MODEL = { status: 404, code: 'model_not_found' } as const;
const PLACE = { status: 403, code: 'region_not_permitted' } as const;
const CALLER = { status: 403, code: 'unsupported_country_region_territory' } as const;

const ROWS: Row[] = [
  { name: 'vendor, of the team', team: { ...ALL, vendors: ['qwen'] }, ...MODEL, evidence: { why: 'unknown', skipped: skipped('vendor') } },
  {
    name: 'vendor, of the key',
    team: { ...ALL, vendors: ['qwen', 'glm'] },
    key: { vendors: ['qwen'] },
    ...MODEL,
    evidence: { why: 'unknown', skipped: skipped('vendor') },
  },
  { name: 'model, of the team', team: { ...ALL, models: ['other-*'] }, ...MODEL, evidence: { why: 'unknown', skipped: skipped('model') } },
  {
    name: 'model, of the key',
    team: ALL,
    key: { models: ['other-*'] },
    ...MODEL,
    evidence: { why: 'unknown', skipped: skipped('model') },
  },
  {
    name: 'model, by the name that the backend has for it',
    team: { ...ALL, models: [ASKED] },
    asked: TO,
    ...MODEL,
    evidence: { model: TO, why: 'unknown', skipped: skipped('model') },
  },
  { name: 'region, of the team', team: { ...ALL, regions: ['cn-*'] }, ...PLACE, evidence: { why: 'region', skipped: skipped('region') } },
  {
    name: 'region, of the key',
    team: ALL,
    key: { regions: ['intl'] },
    ...PLACE,
    evidence: { why: 'region', skipped: skipped('region') },
  },
  {
    name: 'a region that nobody knows',
    team: { ...ALL, regions: ['cn', 'cn-*', 'intl', 'ap-*', 'us-*', 'eu-*'] },
    ...PLACE,
    evidence: { why: 'region', skipped: skipped('region') },
  },
  { name: 'no rule at all', ...CALLER, evidence: { rule: 'permit', address: '127.0.0.1' } },
  {
    name: 'no rule of the team, and one of the key',
    key: { vendors: ['glm'], regions: [REGION] },
    ...CALLER,
    evidence: { rule: 'permit', address: '127.0.0.1' },
  },
  {
    name: 'network, of the team',
    team: { ...ALL, callers: ['10.0.0.0/8'] },
    ...CALLER,
    evidence: { rule: 'network', address: '127.0.0.1' },
  },
  {
    name: 'network, of the key',
    team: ALL,
    key: { callers: ['10.0.0.0/8'] },
    ...CALLER,
    evidence: { rule: 'network', address: '127.0.0.1' },
  },
];

const TABLE = { '127.0.0.0/8': country('XK') };
const whole = mmdb(TABLE);
/** Its beginning and its end are those of a table; the record of the address is of a type that there is not. */
const broken = Buffer.from(whole);
broken[whole.indexOf('XK') - 1] = 0xff;

/** Countries, by the table that the relay has. */
const COUNTRIES: (Row & { readonly table: Buffer })[] = [
  {
    name: 'country, of the team',
    table: whole,
    team: { ...ALL, countries: ['CN'] },
    ...CALLER,
    evidence: { rule: 'country', country: 'XK' },
  },
  {
    name: 'country, of the key',
    table: whole,
    team: ALL,
    key: { countries: ['CN'] },
    ...CALLER,
    evidence: { rule: 'country', country: 'XK' },
  },
  {
    name: 'a country that the table does not know',
    table: mmdb({ '10.0.0.0/8': country('CN') }),
    team: { ...ALL, countries: ['CN'] },
    ...CALLER,
    evidence: { rule: 'country', country: null },
  },
  {
    name: 'a table that cannot be read',
    table: broken,
    team: { ...ALL, countries: ['CN', 'XK'] },
    ...CALLER,
    evidence: { rule: 'country', country: null, table: expect.stringMatching(/\w/) },
  },
];

async function refused({ team, key, asked = ASKED }: Row, countries?: string) {
  const config = configOf(
    JSON.stringify({
      server: { port: 0, drainTimeoutMs: 100, ...(countries === undefined ? {} : { countries }) },
      backends: { [BACKEND]: { vendor: 'glm', region: REGION, baseUrl: 'http://127.0.0.1:9/v4', apiKey: 'env:K' } },
      models: { [ASKED]: [TO] },
      teams: { [TEAM]: team === undefined ? {} : { permit: team } },
      keys: [{ name: NAME, team: TEAM, key: digestOf(KEY), ...(key === undefined ? {} : { permit: key }) }],
    }),
    { K: 'id.secret-of-a-backend' },
    (path) => readFileSync(path),
  );
  const desk = await openRelay(config);
  try {
    const answer = await fetch(`${desk.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: asked, messages: [{ role: 'user', content: 'x' }] }),
    });
    const body = await answer.text();
    return { status: answer.status, body, seen: `${body}\n${JSON.stringify([...answer.headers])}`, log: desk.log };
  } finally {
    await desk.close();
  }
}

function expectRefusal({ asked = ASKED, status, code, evidence }: Row, was: Awaited<ReturnType<typeof refused>>): void {
  expect([was.status, JSON.parse(was.body).error.code]).toEqual([status, code]);
  const of = { key: NAME, team: TEAM, ...(code === CALLER.code ? {} : { model: asked }) };
  const lines = was.log.filter(({ msg }) => msg === 'refused by routing');
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatchObject({ status, code });
  expect(lines[0]?.['evidence']).toMatchObject({ ...of, ...evidence });
  // Nothing of it is for the caller, but the name that it has asked for.
  const answered = was.seen.replaceAll(asked, '');
  for (const word of [TEAM, NAME, BACKEND, REGION, 'glm', 'skipped', 'evidence', '127.0.0.1', 'XK']) {
    expect(answered, word).not.toContain(word);
  }
}

describe('a refusal has its evidence in the log, and none of it in the answer', () => {
  test.each(ROWS)('$name', async (row) => expectRefusal(row, await refused(row)));

  test.each(COUNTRIES)('$name', async (row) => {
    const file = join(folder, 'countries.mmdb');
    writeFileSync(file, row.table);
    expectRefusal(row, await refused(row, file));
  });

  test('the same words for a model that is not permitted and one that there is not', async () => {
    const [, , model] = ROWS as [Row, Row, Row];
    const hidden = await refused(model);
    const none = await refused({ ...model, asked: 'another' });
    expect(none.body.replaceAll('another', ASKED)).toBe(hidden.body);
    expect(none.log.filter(({ msg }) => msg === 'refused by routing')).toEqual([]);
  });
});
