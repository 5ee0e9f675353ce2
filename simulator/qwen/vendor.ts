import { jsonBodyOf } from '../kernel/json-body.ts';
import type { Accounting, Handled, Incoming, Kernel, Reply, Vendor } from '../kernel/types.ts';
import { requestIdOf } from './answer.ts';
import { type Call, promptTextOf } from './call.ts';
import { chat, modelNameOf } from './chat.ts';
import { embed } from './embeddings.ts';
import { errorBody, invalid, Refusal } from './errors.ts';
import { FAULT_NAMES, refusalFrom } from './faults.ts';
import { isObject } from './json.ts';
import { accountOf, authenticate, KEYS, type KeyRow, REGIONS } from './keys.ts';
import { CHAT_MODELS, EMBEDDING_MODELS } from './models.ts';
import { rerank } from './rerank.ts';

/** Alibaba Qwen in compatible mode: chat completions, embeddings, rerank, model list. */
export const qwenVendor: Vendor = {
  name: 'qwen',
  regions: REGIONS,
  basePath: '/compatible-mode/v1',
  goodKey: KEYS[0]?.key ?? '',
  faultNames: FAULT_NAMES,
  keys: KEYS.map(({ key, name, region, what }) => ({ key, name, region, what })),
  accountOf,
  handle,
};

const BASE = '/compatible-mode/v1';
/** What takes lists. Reranking is not under the base of all else: there it is dead. */
const LISTS: Readonly<Record<string, typeof embed>> = {
  [`POST ${BASE}/embeddings`]: embed,
  'POST /compatible-api/v1/reranks': rerank,
};
/** Largest body without and with base64 data, in bytes (Qwen: rate limits, body sizes). */
const MAX_BODY = 16 * 1024 * 1024;
const MAX_BODY_BASE64 = 64 * 1024 * 1024;

const NOTHING: Omit<Accounting, 'keyName' | 'model' | 'errorCode'> = {
  stream: false,
  promptTokens: 0,
  completionTokens: 0,
  reasoningTokens: 0,
  cachedTokens: 0,
};

function handle(incoming: Incoming, kernel: Kernel): Handled {
  const requestId = requestIdOf(incoming, kernel);
  const body = jsonBodyOf(incoming);
  const faults = kernel.faults(incoming, promptTextOf(body));
  const stream = isObject(body) && body['stream'] === true;
  let key: KeyRow | null = null;
  try {
    key = authenticate(incoming.headers['authorization'], incoming.region);
    return route({ incoming, kernel, key, body: isObject(body) ? body : {}, requestId, faults }, body);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const asData = stream && faults.some((fault) => fault.name === 'data-body');
    const accounting = {
      ...NOTHING,
      stream,
      model: modelNameOf(body),
      keyName: key?.name ?? error.keyName,
      errorCode: error.row.code ?? 'no_api_key',
    };
    return { reply: refused(error, requestId, asData, incoming, kernel), accounting };
  }
}

function route(call: Call, parsed: unknown): Handled {
  const { incoming, key } = call;
  const target = `${incoming.method} ${incoming.path}`;
  if (target === `GET ${BASE}/models`) return listModels(call);
  const list = LISTS[target];
  if (list === undefined && target !== `POST ${BASE}/chat/completions`) throw noSuchPath(incoming);
  const limit = incoming.rawBody.includes(';base64,') ? MAX_BODY_BASE64 : MAX_BODY;
  if (incoming.rawBody.length > limit) throw new Refusal('too_large');
  if (!isObject(parsed)) throw invalid('Request body format invalid');
  if (list !== undefined) {
    const { model, promptTokens, body } = list(call);
    return { reply: whole(200, body, call), accounting: { ...NOTHING, model, keyName: key.name, errorCode: null, promptTokens } };
  }
  const { model, usage, stream, body, frames } = chat(call);
  const { promptTokens, completionTokens, reasoningTokens, cachedTokens } = usage;
  const accounting = { model, stream, promptTokens, completionTokens, reasoningTokens, cachedTokens, errorCode: null, keyName: key.name };
  if (frames === null) return { reply: whole(200, body, call), accounting };
  const headers = {
    ...headersOf(call.requestId, incoming, call.kernel),
    'content-type': 'text/event-stream;charset=UTF-8',
    'x-dashscope-finished': 'false',
  };
  return { reply: { kind: 'stream', status: 200, headers, frames }, accounting };
}

/** The list holds models the key may not be able to call, retired ones included. */
function listModels(call: Call): Handled {
  const refusal = refusalFrom(call.faults, { inputLimit: 0, stream: false, waits: false });
  if (refusal !== null) throw refusal;
  const ids = [...CHAT_MODELS.keys(), ...EMBEDDING_MODELS.keys()];
  const data = ids.map((id) => ({ id, object: 'model', created: 1_780_000_000, owned_by: 'system' }));
  const accounting = { ...NOTHING, model: null, keyName: call.key.name, errorCode: null };
  return { reply: whole(200, { object: 'list', data }, call), accounting };
}

function noSuchPath(incoming: Incoming): Refusal {
  const known = ['/chat/completions', '/embeddings', '/models'].some((path) => incoming.path === `${BASE}${path}`);
  const message = known ? `Method ${incoming.method} is not allowed` : `No such path: ${incoming.path}`;
  return new Refusal('invalid_parameter_error', { message, status: known ? 405 : 404 });
}

function whole(status: number, body: unknown, { requestId, incoming, kernel }: Call): Reply {
  const headers = { ...headersOf(requestId, incoming, kernel), 'content-type': 'application/json' };
  return { kind: 'whole', status, headers, body: JSON.stringify(body) };
}

/** Some refused streams come as one `data:` line under the error's status, which a JSON parser cannot read. */
function refused(error: Refusal, requestId: string, asData: boolean, incoming: Incoming, kernel: Kernel): Reply {
  const text = JSON.stringify(errorBody(error.row, requestId));
  const headers = headersOf(requestId, incoming, kernel);
  if (asData) {
    return {
      kind: 'whole',
      status: error.row.status,
      headers: { ...headers, 'content-type': 'text/event-stream;charset=UTF-8' },
      body: `data: ${text}\n\n`,
    };
  }
  return { kind: 'whole', status: error.row.status, headers: { ...headers, 'content-type': 'application/json' }, body: text };
}

/** Neither `Retry-After` nor rate headers, but a balancer's cookie and inner numbers of the account. */
function headersOf(requestId: string, incoming: Incoming, kernel: Kernel): Record<string, string> {
  return {
    'x-request-id': requestId,
    'x-dashscope-call-gateway': 'true',
    'x-dashscope-finished': 'true',
    'x-dashscope-timeout': '298',
    'req-cost-time': '12',
    'req-arrive-time': String(incoming.nowMs),
    'resp-start-time': String(incoming.nowMs + 12),
    'x-envoy-upstream-service-time': '11',
    server: 'istio-envoy',
    'set-cookie': `acw_tc=${kernel.hex(incoming, 'acw_tc', 32)};path=/;HttpOnly;Max-Age=1800`,
    'x-dashscope-inner-flow-control-meta': '{"requestLimit":60,"tokenLimit":300000,"periodSeconds":6}',
  };
}
