import { readFileSync } from 'node:fs';
import { createServer as httpServer, type Server, type ServerResponse } from 'node:http';
import { createServer as httpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Certificates, makeCertificates, OPENSSL } from '../certificates.ts';
import { KEY } from '../http/desk.ts';
import { completion } from '../relay/backends.ts';
import { cleanUp, estafet, folder } from './process.ts';
import { ENV, FILE, listening } from './relay-file.ts';

/** A vendor's address of one's own (`baseUrl`) over TLS, behind a gateway whose certificate no public authority has signed. */
describe.each(OPENSSL)('with certificates of %s', () => {
  let made: Certificates;
  const servers: Server[] = [];
  beforeAll(() => {
    made = makeCertificates();
  });
  afterEach(async () => {
    await cleanUp();
    for (const server of servers.splice(0)) server.close();
  });
  afterAll(() => made.remove());

  async function vendor(kind: 'server' | 'expired' | 'plain'): Promise<string> {
    const answer = (_: unknown, response: ServerResponse): void => {
      response.setHeader('content-type', 'application/json');
      response.end(completion('hello'));
    };
    const { certificate, key } = made[kind === 'plain' ? 'server' : kind];
    const server = kind === 'plain' ? httpServer(answer) : httpsServer({ cert: readFileSync(certificate), key: readFileSync(key) }, answer);
    servers.push(server as Server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return `https://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
  }

  test.each([
    ['an authority that NODE_EXTRA_CA_CERTS names', 'server', true, 200, null],
    ['an authority that nobody names', 'server', false, 502, 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
    ['an expired certificate', 'expired', true, 502, 'CERT_HAS_EXPIRED'],
    ['no TLS at all', 'plain', true, 502, 'ERR_SSL_WRONG_VERSION_NUMBER'],
  ] as const)('%s', async (_, kind, named, status, cause) => {
    const home = folder({ 'f.yaml': FILE(0, '', await vendor(kind)) });
    const run = estafet(['serve', '--config', 'f.yaml'], { ...ENV, ...(named ? { NODE_EXTRA_CA_CERTS: made.ca } : {}) }, home);
    const answer = await fetch(`${await listening(run)}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'gpt-4o', messages: [{ role: 'user', content: 'x' }] }),
    });
    expect(answer.status).toBe(status);
    const { error } = (await answer.json()) as { error?: { code: string } };
    expect(error?.code).toBe(cause === null ? undefined : 'upstream_unreachable');
    const [line] = await run.seen(/^.*"msg":"request".*$/m);
    if (cause !== null) expect(line).toContain(cause);
  });
});
