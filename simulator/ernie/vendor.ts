/**
 * Baidu Qianfan v2 as a simulated vendor: paths, keys and applications; everything else is in the neighbours.
 * Refusals thrown below are written out here, in the shape the faults in force ask for.
 */

import type { Handled, Incoming, Kernel, Vendor, WholeReply } from '../kernel/types.ts';
import { isLiveBearer, issueBearer } from './bearer.ts';
import { answerId, type Call, handled } from './call.ts';
import { chat } from './chat.ts';
import { embeddings } from './embeddings.ts';
import { accessDenied, gatewayPage, type ReplyIds, refuse, whole } from './envelope.ts';
import { Refusal } from './errors.ts';
import { ERNIE_FAULTS, readFaults } from './faults.ts';
import { isObject, type JsonObject, parseObject } from './json.ts';
import { APPS, accountOf, GOOD_KEY, KEYS, type KeyRow } from './keys.ts';
import { rateHeaders } from './limits.ts';
import { CHAT_MODELS, EMBEDDING_MODELS, RERANK_MODELS } from './models.ts';
import { rerank } from './rerank.ts';

export const ernieVendor: Vendor = {
  name: 'ernie',
  regions: ['cn-beijing'],
  basePath: '/v2',
  goodKey: GOOD_KEY,
  handle,
  faultNames: ERNIE_FAULTS,
  keys: KEYS.map((row) => ({ key: row.text, name: row.name, region: null, what: row.what })),
  accountOf,
};

type Endpoint = (call: Call) => Handled;

const PLAN_PATHS = ['/v2/coding', '/v2/tokenplan/personal'];
const ENDPOINTS: Readonly<Record<string, Endpoint>> = {
  '/v2/chat/completions': chat,
  '/v2/embeddings': embeddings,
  '/v2/rerank': rerank,
  ...Object.fromEntries(PLAN_PATHS.map((path) => [`${path}/chat/completions`, chat])),
};

function handle(incoming: Incoming, kernel: Kernel): Handled {
  const id = answerId(incoming, kernel);
  const requestId = incoming.headers['x-request-id'] ?? kernel.hex(incoming, 'request', 32);
  const ids: ReplyIds = { id, headers: { 'x-request-id': requestId, 'x-baidu-request-id': requestId } };
  const { path, method } = incoming;
  if (method === 'GET' && path === '/v2/models') return listModels(incoming, kernel, ids);
  if (method === 'GET' && path === '/v1/BCE-BEARER/token') return handled(issueBearer(incoming, ids), { model: null, keyName: null });
  if (path.startsWith('/rpc/2.0/') || path.startsWith('/oauth/2.0/')) return deadV1(ids);
  const endpoint = ENDPOINTS[path];
  // A wrong path is told like a missing permission.
  if (!endpoint) return handled(accessDenied(ids), { model: null, keyName: null, errorCode: 'AccessDenied' });
  return answer(incoming, kernel, ids, endpoint);
}

function answer(incoming: Incoming, kernel: Kernel, ids: ReplyIds, endpoint: Endpoint): Handled {
  const body = parseObject(incoming.rawBody);
  const asked = body?.['model'];
  const spent = { model: typeof asked === 'string' && asked !== '' ? asked : null, stream: body?.['stream'] === true };
  let key: KeyRow | null = null;
  let wishes = readFaults([]);
  let call: Call | null = null;
  try {
    if (incoming.method !== 'POST') throw new Refusal('method_not_supported');
    const plan = PLAN_PATHS.some((path) => incoming.path.startsWith(path));
    key = authenticate(incoming, plan);
    wishes = readFaults(kernel.faults(incoming, promptText(body)), kernel.strict);
    if (wishes.gateway !== null) {
      return handled(gatewayPage(wishes.gateway, ids), { ...spent, keyName: key.name, errorCode: `gateway_${wishes.gateway}` });
    }
    if (wishes.flat403) return handled(accessDenied(ids), { ...spent, keyName: key.name, errorCode: 'AccessDenied' });
    if (!body) throw new Refusal('malformed_json');
    call = { incoming, kernel, key, wishes, body, ids, plan };
    if (wishes.refusal) throw wishes.refusal;
    if (key.overdue) throw new Refusal('account_overdue');
    return endpoint(call);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const reply = withRateHeaders(refuse(error, ids, wishes.shape), error, call, spent.model);
    return handled(reply, { ...spent, keyName: key?.name ?? null, errorCode: error.code });
  }
}

/** A 429 of the own limits shows them; with a fault that only claims one, nothing is left either. */
function withRateHeaders(reply: WholeReply, refusal: Refusal, call: Call | null, model: string | null): WholeReply {
  if (refusal.status !== 429 || !call || model === null) return reply;
  const headers = rateHeaders(call, model, { requests: 0, tokens: 0 });
  const empty = Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, name.includes('remaining') && isFullKind(name, refusal.code) ? '0' : value]),
  );
  return { ...reply, headers: { ...reply.headers, ...empty } };
}

function isFullKind(header: string, code: string): boolean {
  if (code.startsWith('rpm_')) return header.endsWith('-requests');
  if (code.startsWith('tpm_')) return header.endsWith('-tokens');
  if (code.startsWith('input_tpm_')) return header.endsWith('-input-tokens');
  return code.startsWith('output_tpm_') && header.endsWith('-output-tokens');
}

/** @throws Refusal 401 `invalid_iam_token` or `invalid_appid` */
function authenticate(incoming: Incoming, plan: boolean): KeyRow {
  const key = findKey(incoming);
  if (!key || key.plan !== plan) throw new Refusal('invalid_iam_token');
  const app = incoming.headers['appid'];
  if (app !== undefined && !APPS.includes(app)) throw new Refusal('invalid_appid');
  return key;
}

/** Bearer only: the same key without the word is refused. A live short-term token stands for the good key. */
function findKey(incoming: Incoming): KeyRow | null {
  const match = /^Bearer (\S+)$/.exec(incoming.headers['authorization'] ?? '');
  const text = match?.[1];
  if (text === undefined) return null;
  const name = isLiveBearer(text, incoming.nowMs) ? 'good' : null;
  return KEYS.find((row) => row.text === text || row.name === name) ?? null;
}

function listModels(incoming: Incoming, kernel: Kernel, ids: ReplyIds): Handled {
  const key = findKey(incoming);
  const nothing = { model: null, keyName: key?.name ?? null };
  if (!key || key.plan) return handled(accessDenied(ids), { ...nothing, errorCode: 'AccessDenied' });
  const wishes = readFaults(kernel.faults(incoming, ''), kernel.strict);
  if (wishes.gateway !== null) return handled(gatewayPage(wishes.gateway, ids), { ...nothing, errorCode: `gateway_${wishes.gateway}` });
  // A key that is refused is told flat on this path, envelope or not.
  const denied = wishes.flat403 || wishes.refusal?.code === 'invalid_iam_token';
  if (denied) return handled(accessDenied(ids), { ...nothing, errorCode: 'AccessDenied' });
  if (wishes.refusal) return handled(refuse(wishes.refusal, ids, wishes.shape), { ...nothing, errorCode: wishes.refusal.code });
  const names = [
    ...CHAT_MODELS.filter((model) => !model.retired || wishes.profile === '2025').map((model) => model.id),
    ...EMBEDDING_MODELS.map((model) => model.id),
    ...RERANK_MODELS,
  ].filter((name) => name !== 'qianfan-code-latest');
  const data = names.map((name) => ({ id: name, object: 'model', owned_by: '', created: 0 }));
  return handled(whole(200, { object: 'list', data }, ids.headers), nothing);
}

/** v1 ("wenxinworkshop") went offline on 2026-08-31; what it says since is not recorded, this is its old "no such path". */
function deadV1(ids: ReplyIds): Handled {
  const reply = whole(200, { error_code: 3, error_msg: 'Unsupported openapi method' }, ids.headers);
  return handled(reply, { model: null, keyName: null, errorCode: '3' });
}

/** Where directives may stand: the last user message, the inputs, or the query. */
function promptText(body: JsonObject | null): string {
  if (!body) return '';
  const { messages, input, query } = body;
  if (Array.isArray(messages)) {
    const last: unknown = messages.findLast((item: unknown) => isObject(item) && item['role'] === 'user');
    return isObject(last) ? contentText(last['content']) : '';
  }
  if (typeof query === 'string') return query;
  if (typeof input === 'string') return input;
  return Array.isArray(input) ? input.filter((item) => typeof item === 'string').join('\n') : '';
}

function contentText(content: unknown): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content.flatMap((part: unknown) => (isObject(part) && typeof part['text'] === 'string' ? [part['text']] : [])).join('\n');
}
