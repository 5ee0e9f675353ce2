import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Certificates, makeCertificates, OPENSSL } from '../certificates.ts';
import { TLS_PLACES } from '../relay/quota/redis-tls.ts';
import { ask, type RedisRig, startRedisRig, statuses } from './redis-rig.ts';

/** Two relays on Redis over TLS: an authority of its own, and a client certificate asked for. */
const LIMITS = { a: { limits: { rpd: 20, tpd: 100_000 } }, b: { limits: { rpd: 20 } }, c: { limits: { rpd: 20 } } };

describe.each(OPENSSL.length === 0 ? [] : TLS_PLACES)('%s', (_, start) => {
  const ends: (() => unknown)[] = [];
  let certificates: Certificates;
  let rig: RedisRig;
  let urls: readonly string[];

  beforeAll(async () => {
    certificates = makeCertificates();
    ends.push(() => certificates.remove());
    const place = await start(certificates);
    ends.push(() => place.stop());
    const { ca, client } = certificates;
    rig = await startRedisRig({ redis: place.address, redisTls: { ca, ...client } }, LIMITS);
    ends.push(() => rig.close());
    urls = [(await rig.relay()).url, (await rig.relay()).url];
  });
  afterAll(async () => {
    for (const end of ends.reverse()) await end();
  });

  test('both serve, and together admit exactly the limit of each team', async () => {
    const many = (team: string, count: number) =>
      Promise.all(Array.from({ length: count }, (_, call) => ask(urls[call % 2] as string, team)));
    for (const url of urls) await expect.poll(async () => (await fetch(`${url}/readyz`)).status, { timeout: 5000 }).toBe(200);
    expect((await Promise.all(Object.keys(LIMITS).map((team) => many(team, 30)))).map(statuses)).toEqual(
      Object.keys(LIMITS).map(() => ({ 200: 20, 429: 10 })),
    );
    expect(rig.reached()).toBe(60);
  });
});
