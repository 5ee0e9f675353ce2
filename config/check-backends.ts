import { type CheckContext, emptyRecord } from './check-context.ts';
import { checkPrices } from './check-prices.ts';
import type { Backend } from './config.ts';
import type { Path } from './problem.ts';
import type { BackendInput, ConfigInput } from './schema.ts';
import { resolveReference, Secret } from './secret.ts';
import type { VendorFacts } from './vendors.ts';

/** `backends`: what the vendor of each one knows, its address, its credential. */
export function checkBackends(input: ConfigInput['backends'], context: CheckContext): Record<string, Backend> {
  const backends = emptyRecord<Backend>();
  for (const [name, backend] of Object.entries(input)) {
    const path = ['backends', name];
    const facts = context.vendors[backend.vendor];
    if (facts === undefined) throw new Error(`the schema let through the vendor ${backend.vendor}`);
    checkVendorOptions(backend, facts, path, context);
    checkPrices(backend.prices, path, context);
    warnTimeouts(backend, path, context);
    if (backend.probe !== 'off' && backend.breaker === 'off')
      context.warnings.add([...path, 'probe'], 'has no effect while breaker is off', { at: 'key' });
    const {
      apiKey: _reference,
      apiKeys: _references,
      accessKey: _access,
      secretKey: _secret,
      baseUrl: _url,
      region: _region,
      workspace: _workspace,
      ...rest
    } = backend;
    const region = backend.region ?? facts.defaultRegion;
    backends[name] = {
      ...rest,
      name,
      region,
      baseUrl: address(backend, region, facts, path, context),
      ...credentials(backend, facts, path, context),
    };
  }
  return backends;
}

function checkVendorOptions(backend: BackendInput, facts: VendorFacts, path: Path, { problems }: CheckContext): void {
  const { vendor, protocol } = backend;
  const options = facts.options ?? [];
  if (protocol !== 'compatible' && !facts.protocols.includes(protocol)) {
    const known = [...new Set(['compatible', ...facts.protocols])].join(', ');
    problems.add([...path, 'protocol'], `vendor ${vendor} does not have the protocol ${JSON.stringify(protocol)}; it has: ${known}`);
  }
  if (backend.appId !== undefined && !options.includes('appId')) {
    problems.add([...path, 'appId'], `vendor ${vendor} has no appId`, { at: 'key' });
  }
  if (backend.auth === 'jwt' && !options.includes('jwt')) {
    problems.add([...path, 'auth'], `vendor ${vendor} does not accept a JWT; use bearer`);
  }
}

/** The keys; operators also write one as `key|application`, where the vendor knows applications. */
function credentials(
  backend: BackendInput,
  facts: VendorFacts,
  path: Path,
  { problems, secrets }: CheckContext,
): Pick<Backend, 'apiKey' | 'apiKeys' | 'appId'> {
  const pair = (['accessKey', 'secretKey'] as const).filter((key) => backend[key] !== undefined);
  if (pair[0] !== undefined) {
    const message = facts.options?.includes('accessKey')
      ? 'accessKey and secretKey are not supported yet; use apiKey'
      : `vendor ${backend.vendor} has no accessKey and secretKey; use apiKey`;
    problems.add([...path, pair[0]], message, { at: 'key' });
  }
  const { apiKey, apiKeys } = backend;
  if (apiKey !== undefined && apiKeys !== undefined)
    problems.add([...path, 'apiKeys'], 'cannot be combined with apiKey; remove one of them', { at: 'key' });
  if (apiKey === undefined && apiKeys === undefined && pair.length === 0 && facts.requires.includes('apiKey')) {
    problems.add([...path, 'apiKey'], 'is required', { at: 'key' });
  }
  const references: readonly (readonly [Path, string])[] =
    apiKey === undefined
      ? (apiKeys ?? []).map((key, index) => [[...path, 'apiKeys', index], key] as const)
      : [[[...path, 'apiKey'], apiKey]];
  const keys: Secret[] = [];
  let { appId } = backend;
  for (const [at, reference] of references) {
    const resolved = resolveReference(reference, secrets);
    if (!resolved.ok) {
      problems.add(at, resolved.fault);
      continue;
    }
    const [, key, behind] = (facts.options?.includes('appId') && /^([^|]+)\|([\x21-\x7b\x7d\x7e]{1,128})$/.exec(resolved.value)) || [];
    keys.push(new Secret(key ?? resolved.value));
    if (behind === undefined) continue;
    if (appId !== undefined && appId !== behind)
      problems.add([...path, 'appId'], 'differs from the application after the | of the key', { at: 'key' });
    appId ??= behind;
  }
  return {
    ...(keys[0] === undefined ? {} : { apiKey: keys[0] }),
    ...(apiKeys === undefined ? {} : { apiKeys: keys }),
    ...(appId === undefined ? {} : { appId }),
  };
}

/** The base URL, or '' after a problem. */
function address(backend: BackendInput, region: string, facts: VendorFacts, path: Path, context: CheckContext): string {
  const { baseUrl, workspace } = backend;
  if (baseUrl !== undefined && workspace !== undefined)
    context.problems.add([...path, 'workspace'], 'cannot be combined with baseUrl, which is the whole address', { at: 'key' });
  const known = workspace === undefined ? publicAddress : workspaceAddress;
  const url = baseUrl === undefined ? known(backend, region, facts, path, context) : baseUrl.replace(/\/+$/, '');
  if (baseUrl !== undefined && facts.formerUrls?.test(url))
    context.problems.add([...path, 'baseUrl'], `is an interface that the vendor has switched off; use ${Object.values(facts.baseUrls)[0]}`);
  if (baseUrl !== undefined) checkHome(backend, url, region, facts, path, context);
  if (/\/coding|\/token-?plan/i.test(url)) {
    context.warnings.add(
      [...path, baseUrl === undefined ? 'region' : 'baseUrl'],
      'looks like a subscription plan for coding tools; vendors block keys that other applications use there',
    );
  }
  return url;
}

/** The vendor's own address of a protocol in a region. */
function publicAddress(
  { vendor, protocol }: BackendInput,
  region: string,
  facts: VendorFacts,
  path: Path,
  { problems }: CheckContext,
): string {
  const urls = protocol === 'compatible' ? facts.baseUrls : (facts.protocolUrls?.[protocol] ?? {});
  const known = Object.hasOwn(urls, region) ? urls[region] : undefined;
  if (known !== undefined) return known;
  if (!facts.regions.includes(region)) {
    const message = `vendor ${vendor} has no region ${JSON.stringify(region)}; it has: ${facts.regions.join(', ')} (for any other, set baseUrl)`;
    problems.add([...path, 'region'], message);
  } else if (Object.hasOwn(facts.baseUrls, region)) {
    problems.add([...path, 'protocol'], `vendor ${vendor} does not have the protocol ${JSON.stringify(protocol)} in ${region}`);
  } else {
    const workspaces = facts.workspaces?.regions.includes(region) ? '; you can set `workspace` instead' : '';
    problems.add([...path, 'baseUrl'], `is required: vendor ${vendor} has no public address in ${region}${workspaces}`, {
      at: 'key',
    });
  }
  return '';
}

/** The address of one workspace in a region. */
function workspaceAddress(backend: BackendInput, region: string, facts: VendorFacts, path: Path, { problems }: CheckContext): string {
  const { vendor, protocol, workspace = '' } = backend;
  const { workspaces } = facts;
  const urlPath = workspaces?.paths[protocol];
  if (workspaces === undefined || urlPath === undefined)
    problems.add([...path, 'workspace'], `vendor ${vendor} has no workspaces`, { at: 'key' });
  else if (!workspaces.regions.includes(region))
    problems.add([...path, 'workspace'], `vendor ${vendor} has workspaces in ${workspaces.regions.join(', ')}, not in ${region}`, {
      at: 'key',
    });
  else return `https://${workspace.toLowerCase()}${workspaces.hostSuffix.replace('{region}', region)}${urlPath}`;
  return '';
}

/** Permits are checked against the label: one that lies about a public host would let data go where it may not. */
function checkHome(backend: BackendInput, url: string, region: string, facts: VendorFacts, path: Path, { problems }: CheckContext): void {
  const { host } = new URL(url);
  const known = [facts.baseUrls, ...Object.values(facts.protocolUrls ?? {})].flatMap((urls) => Object.entries(urls));
  const shared = known.flatMap(([home, address]) => (new URL(address).host === host ? [home] : []));
  const { regions = [], hostSuffix = '' } = facts.workspaces ?? {};
  const own = regions.filter((home) => host.endsWith(hostSuffix.replace('{region}', home)));
  const homes = [...new Set([...shared, ...own])];
  if (homes.length === 0 || homes.includes(region)) return;
  const at = backend.region === undefined ? 'baseUrl' : 'region';
  problems.add([...path, at], `${host} is in region ${homes.join(' or ')}, not ${region}: set region accordingly`);
}

function warnTimeouts({ timeouts }: BackendInput, path: Path, { warnings, isWritten }: CheckContext): void {
  for (const key of ['connectMs', 'firstByteMs', 'wholeMs', 'idleMs'] as const) {
    const here = [...path, 'timeouts', key];
    if (timeouts[key] > timeouts.totalMs && isWritten(here)) warnings.add(here, `has no effect: totalMs is ${timeouts.totalMs}`);
  }
}
