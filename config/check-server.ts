import { dirname, resolve } from 'node:path';
import { type CheckContext, checkNetworks } from './check-context.ts';
import type { MetricsSettings, Server } from './config.ts';
import type { ConfigInput } from './schema.ts';
import { readFault, resolveReference, Secret } from './secret.ts';

/** `server`: what spans several of its keys, and the token behind its reference. */
export function checkServer({ metrics, admin, ...server }: ConfigInput['server'], context: CheckContext): Server {
  if (server.headersTimeoutMs > server.requestTimeoutMs) {
    context.problems.add(['server', 'headersTimeoutMs'], `must be at most requestTimeoutMs, which is ${server.requestTimeoutMs}`);
  }
  checkNetworks(server.trustedProxies, ['server', 'trustedProxies'], context);
  const { countries, ...rest } = server;
  return {
    ...rest,
    ...(countries === undefined ? {} : { countries: checkCountries(countries, context) }),
    ...(admin === undefined ? {} : checkAdmin(admin.token, context)),
    ...(metrics === undefined ? {} : { metrics: checkMetrics(metrics, server.port, context) }),
  };
}

/** The table's full path. It is read so that one that is missing is told with all the rest; whether it is a table turns out where it is used. */
function checkCountries(written: string, { problems, secrets }: CheckContext): string {
  const path = resolve(dirname(secrets.file), written);
  try {
    secrets.readFile(path);
  } catch (error) {
    problems.add(['server', 'countries'], `${path} cannot be read: ${readFault(error)}`);
  }
  return path;
}

/** It opens more than figures: a short one is refused. */
const SHORTEST_ADMIN_TOKEN = 32;

function checkAdmin(reference: string, { problems, secrets }: CheckContext): Pick<Server, 'admin'> {
  const resolved = resolveReference(reference, secrets);
  if (resolved.ok && resolved.value.length >= SHORTEST_ADMIN_TOKEN) return { admin: { token: new Secret(resolved.value) } };
  problems.add(
    ['server', 'admin', 'token'],
    resolved.ok ? `must have at least ${SHORTEST_ADMIN_TOKEN} characters; \`openssl rand -hex 32\` makes a good one` : resolved.fault,
  );
  return {};
}

const SHORTEST_SAFE_TOKEN = 20;

function checkMetrics(
  { port, host, token: reference }: NonNullable<ConfigInput['server']['metrics']>,
  appsPort: number,
  { problems, warnings, secrets }: CheckContext,
): MetricsSettings {
  const path = ['server', 'metrics'];
  if (port === undefined && reference === undefined) {
    problems.add(path, 'needs a port of its own, or a token for access on server.port', { at: 'key' });
  }
  if (port !== undefined && port !== 0 && port === appsPort)
    problems.add([...path, 'port'], 'is the same as server.port; remove it and set a token, or choose another port');
  if (port !== undefined && reference === undefined && !isLoopback(host)) {
    warnings.add([...path, 'host'], 'opens the metrics to the network without a token; set metrics.token');
  }
  const settings = { host, ...(port === undefined ? {} : { port }) };
  if (reference === undefined) return settings;
  const resolved = resolveReference(reference, secrets);
  if (!resolved.ok) {
    problems.add([...path, 'token'], resolved.fault);
    return settings;
  }
  if (resolved.value.length < SHORTEST_SAFE_TOKEN) {
    warnings.add(
      [...path, 'token'],
      `is shorter than ${SHORTEST_SAFE_TOKEN} characters and can be guessed; \`openssl rand -hex 24\` makes a good one`,
    );
  }
  return { ...settings, token: new Secret(resolved.value) };
}

const isLoopback = (host: string): boolean => host === 'localhost' || host === '::1' || /^127\./.test(host);
