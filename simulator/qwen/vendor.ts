import { jsonBodyOf } from '../kernel/json-body.ts';
import type { Handled, Incoming, Kernel, Reply, Vendor } from '../kernel/types.ts';
import { requestIdOf } from './answer.ts';
import { type Call, promptTextOf } from './call.ts';
import { chat, modelNameOf } from './chat.ts';
import { embed } from './embeddings.ts';
import { errorBody, invalid, Refusal } from './errors.ts';
import { FAULT_NAMES, refusalFrom } from './faults.ts';
import { isObject } from './json.ts';
import { accountOf, authenticate, authenticatePlan, KEYS, type KeyRow, REGIONS } from './keys.ts';
import { CHAT_MODELS, EMBEDDING_MODELS } from './models.ts';
import { NATIVE_BASE, nativeRoute } from './native.ts';
import { nativeRefused } from './native-errors.ts';
import { wantsStream } from './native-request.ts';
import { type Asked, headersOf, NOTHING, streamed, whole } from './replies.ts';
import { rerank } from './rerank.ts';

/** Alibaba Qwen: chat completions, embeddings, reranking and the model list in compatible mode, text answers in DashScope's own protocol. */
export const qwenVendor: Vendor = {
  name: 'qwen',
  regions: REGIONS,
  basePath: '/compatible-mode/v1',
  protocolPaths: { native: NATIVE_BASE },
  goodKey: KEYS[0]?.key ?? '',
  faultNames: FAULT_NAMES,
  keys: KEYS.map(({ key, name, region, what }) => ({ key, name, region, what })),
  accountOf,
  handle,
};

const BASE = '/compatible-mode/v1';
/** The coding plan's host has neither `/compatible-mode` nor anything but chat. */
const PLAN_CHAT = '/v1/chat/completions';
const LISTS_OF_MODELS = [`${BASE}/models`, `${NATIVE_BASE}/models`];
/** What takes lists. Reranking is not under the base of all else: there it is dead. */
const LISTS: Readonly<Record<string, typeof embed>> = {
  [`POST ${BASE}/embeddings`]: embed,
  'POST /compatible-api/v1/reranks': rerank,
};
/** Largest body without and with base64 data, in bytes (Qwen: rate limits, body sizes). */
const MAX_BODY = 16 * 1024 * 1024;
const MAX_BODY_BASE64 = 64 * 1024 * 1024;

function handle(incoming: Incoming, kernel: Kernel): Handled {
  const requestId = requestIdOf(incoming, kernel);
  const body = jsonBodyOf(incoming);
  const faults = kernel.faults(incoming, promptTextOf(body));
  const native = incoming.path.startsWith(`${NATIVE_BASE}/`);
  const stream = native ? wantsStream(incoming) : isObject(body) && body['stream'] === true;
  let key: KeyRow | null = null;
  try {
    key = keyOf(incoming);
    const call = { incoming, kernel, key, body: isObject(body) ? body : {}, requestId, faults };
    checkBody(incoming, body);
    if (incoming.method === 'GET' && incoming.path === `${NATIVE_BASE}/models`) return listModels(call, true);
    return native ? nativeRoute(call) : route(call);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const asked = { requestId, incoming, kernel };
    const has = (name: string): boolean => faults.some((fault) => fault.name === name);
    const reply = native ? nativeRefused(error, stream, has('event-status'), asked) : refused(error, stream && has('data-body'), asked);
    const accounting = {
      ...NOTHING,
      stream,
      model: modelNameOf(body),
      keyName: key?.name ?? error.keyName,
      errorCode: error.row.code ?? 'no_api_key',
    };
    return { reply, accounting };
  }
}

/** @throws Refusal */
function keyOf({ headers: { authorization }, region, method, path }: Incoming): KeyRow {
  if (path === PLAN_CHAT) return authenticatePlan(authorization, region);
  return authenticate(authorization, region, method === 'GET' && LISTS_OF_MODELS.includes(path) ? 'list' : 'call');
}

/** @throws Refusal */
function checkBody(incoming: Incoming, parsed: unknown): void {
  if (incoming.method !== 'POST') return;
  const limit = incoming.rawBody.includes(';base64,') ? MAX_BODY_BASE64 : MAX_BODY;
  if (incoming.rawBody.length > limit) throw new Refusal('too_large');
  if (!isObject(parsed)) throw invalid('Request body format invalid');
}

function route(call: Call): Handled {
  const { incoming, key } = call;
  const target = `${incoming.method} ${incoming.path === PLAN_CHAT ? `${BASE}/chat/completions` : incoming.path}`;
  if (target === `GET ${BASE}/models`) return listModels(call);
  const list = LISTS[target];
  if (list === undefined && target !== `POST ${BASE}/chat/completions`) throw noSuchPath(incoming);
  if (list !== undefined) {
    const { model, promptTokens, body } = list(call);
    return { reply: whole(200, body, call), accounting: { ...NOTHING, model, keyName: key.name, errorCode: null, promptTokens } };
  }
  const { model, usage, stream, body, frames } = chat(call);
  const { promptTokens, completionTokens, reasoningTokens, cachedTokens } = usage;
  const accounting = { model, stream, promptTokens, completionTokens, reasoningTokens, cachedTokens, errorCode: null, keyName: key.name };
  if (frames === null) return { reply: whole(200, body, call), accounting };
  return { reply: streamed(frames, call), accounting };
}

/** The list holds models the key may not be able to call, retired ones included. */
function listModels(call: Call, native = false): Handled {
  const refusal = refusalFrom(call.faults, { inputLimit: 0, stream: false, waits: false });
  if (refusal !== null) throw refusal;
  const ids = [...CHAT_MODELS.keys(), ...EMBEDDING_MODELS.keys()];
  const accounting = { ...NOTHING, model: null, keyName: call.key.name, errorCode: null };
  return { reply: whole(200, native ? nativeList(call, ids) : compatibleList(ids), call), accounting };
}

const compatibleList = (ids: readonly string[]): unknown => ({
  object: 'list',
  data: ids.map((id) => ({ id, object: 'model', created: 1_780_000_000, owned_by: 'system' })),
});

/** Page by page, from 1. */
function nativeList({ incoming: { query }, requestId }: Call, ids: readonly string[]): unknown {
  const [page, size] = [Number(query.get('page_no') ?? 1), Number(query.get('page_size') ?? 10)];
  const models = ids.slice((page - 1) * size, page * size).map((model) => ({ model }));
  return { request_id: requestId, output: { page_no: page, page_size: size, total: ids.length, models } };
}

function noSuchPath(incoming: Incoming): Refusal {
  const known = ['/chat/completions', '/embeddings', '/models'].some((path) => incoming.path === `${BASE}${path}`);
  const message = known ? `Method ${incoming.method} is not allowed` : `No such path: ${incoming.path}`;
  return new Refusal('invalid_parameter_error', { message, status: known ? 405 : 404 });
}

/** Some refused streams come as one `data:` line under the error's status, which a JSON parser cannot read. */
function refused(error: Refusal, asData: boolean, asked: Asked): Reply {
  const body = errorBody(error.row, asked.requestId);
  const { status } = error.row;
  if (!asData) return whole(status, body, asked);
  const headers = { ...headersOf(asked), 'content-type': 'text/event-stream;charset=UTF-8' };
  return { kind: 'whole', status, headers, body: `data: ${JSON.stringify(body)}\n\n` };
}
