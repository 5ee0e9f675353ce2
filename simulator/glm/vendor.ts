/**
 * Simulated Zhipu GLM, v4: chat completions, embeddings and rerank of bigmodel (`cn`) and z.ai (`intl`).
 *
 * Order of judgement: path, method, key, body, faults, account, concurrency, parameters, answer. A refusal of any step is a
 * reply with the vendor's own code; nothing is thrown at the kernel.
 */
import type { Accounting, Fault, Handled, Incoming, Kernel, Reply, Vendor } from '../kernel/types.ts';
import { answer, JSON_HEADERS, wholeAnswer } from './chat.ts';
import { embed, peekInput } from './embeddings.ts';
import { errorValue, languageOf, messageOf, PLAIN_SHAPE, Refusal } from './errors.ts';
import { FAULT_NAMES, FaultError, readFaults, type Wishes } from './faults.ts';
import { type Fields, parseBody } from './fields.ts';
import { answerId } from './ids.ts';
import { accountOf, authenticate, checkAccount, type GlmKey, keyText, VENDOR_KEYS } from './keys.ts';
import { peekLastUser } from './messages.ts';
import { MODELS } from './models.ts';
import { rerank } from './rerank.ts';
import { streamAnswer } from './stream.ts';
import { peekModel, readChat, readModel } from './validate.ts';

const PAYG = '/api/paas/v4';
/** Base of the coding plan: chat only. */
const CODING = '/api/coding/paas/v4';

type Endpoint = 'chat' | 'embeddings' | 'rerank' | 'models';

const ROUTES: Readonly<Record<string, { readonly endpoint: Endpoint; readonly method: string }>> = {
  [`${PAYG}/chat/completions`]: { endpoint: 'chat', method: 'POST' },
  [`${CODING}/chat/completions`]: { endpoint: 'chat', method: 'POST' },
  [`${PAYG}/embeddings`]: { endpoint: 'embeddings', method: 'POST' },
  [`${PAYG}/rerank`]: { endpoint: 'rerank', method: 'POST' },
  [`${PAYG}/models`]: { endpoint: 'models', method: 'GET' },
  [`${CODING}/models`]: { endpoint: 'models', method: 'GET' },
};

export const glmVendor: Vendor = {
  name: 'glm',
  regions: ['cn', 'intl'],
  basePath: PAYG,
  goodKey: keyText('glm-cn-good'),
  faultNames: FAULT_NAMES,
  keys: VENDOR_KEYS,
  accountOf,
  handle(incoming, kernel) {
    const state: State = { accounting: { ...NOTHING }, wishes: null, requestId: null };
    try {
      return { reply: respond(incoming, kernel, state), accounting: state.accounting };
    } catch (error) {
      if (error instanceof FaultError) return misused(error, state);
      if (error instanceof Refusal) return refused(error, incoming, kernel, state);
      throw error;
    }
  },
};

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** What is known so far about one request; refusals are reported with it. */
interface State {
  readonly accounting: Mutable<Accounting>;
  wishes: Wishes | null;
  requestId: string | null;
}

const NOTHING: Accounting = {
  model: null,
  stream: false,
  promptTokens: 0,
  completionTokens: 0,
  reasoningTokens: 0,
  cachedTokens: 0,
  errorCode: null,
  keyName: null,
};

function respond(incoming: Incoming, kernel: Kernel, state: State): Reply {
  const route = ROUTES[incoming.path];
  if (!route) return framework(incoming, 404, 'Not Found');
  if (incoming.method !== route.method) return framework(incoming, 405, 'Method Not Allowed');
  if (route.endpoint === 'models') return models(incoming, kernel);

  const account = authenticate(incoming.headers['authorization'], incoming.region, incoming.nowMs);
  state.accounting.keyName = account.name;
  const body = parseBody(incoming.rawBody);
  state.accounting.model = peekModel(body);
  state.accounting.stream = route.endpoint === 'chat' && body['stream'] === true;
  state.requestId = typeof body['request_id'] === 'string' ? body['request_id'] : null;

  const faults = kernel.faults(incoming, promptOf(route.endpoint, body)).filter((fault) => happens(fault, incoming, kernel));
  const wishes = readFaults(faults, incoming.region, kernel.strict ?? false);
  state.wishes = wishes;
  const failure = wishes.streamFailure;
  if (failure && !state.accounting.stream) {
    if (failure.form === 'json') throw new Refusal(failure.refusal.code, failure.refusal.words, { status: 200 });
    if (failure.form !== 'finish') throw failure.refusal;
  } else if (!failure && wishes.refusal) throw wishes.refusal;

  switch (route.endpoint) {
    case 'chat':
      return chat(incoming, kernel, body, account, wishes, state);
    case 'embeddings': {
      checkUse(account, kernel, state, { free: false, coding: false });
      const found = embed(body, kernel, incoming.region);
      rememberRequest(kernel, state);
      state.accounting.promptTokens = found.tokens;
      return json(found.body);
    }
    case 'rerank': {
      checkUse(account, kernel, state, { free: false, coding: false });
      const found = rerank(body, incoming, kernel);
      rememberRequest(kernel, state);
      state.accounting.promptTokens = found.tokens;
      return json(found.body);
    }
  }
}

function chat(incoming: Incoming, kernel: Kernel, body: Fields, account: GlmKey, wishes: Wishes, state: State): Reply {
  const coding = incoming.path.startsWith(CODING);
  const model = readModel(body, incoming.region);
  checkUse(account, kernel, state, { free: model.free, coding });
  // The coding base keeps past reasoning by default, the other drops it.
  const request = readChat(body, model, incoming.region, wishes, coding);
  rememberRequest(kernel, state);
  const formWishes: Wishes = wishes.streamFailure?.form === 'finish' ? { ...wishes, finish: wishes.finish ?? 'network_error' } : wishes;
  const found = answer(incoming, kernel, request, formWishes, account.name);
  Object.assign(state.accounting, {
    promptTokens: found.usage.prompt,
    completionTokens: found.usage.completion,
    reasoningTokens: found.usage.reasoning,
    cachedTokens: found.usage.cached,
  });
  if (!request.stream) return wholeAnswer(incoming, kernel, found, request, formWishes);
  const failure = wishes.streamFailure?.refusal;
  if (failure) state.accounting.errorCode = failure.code;
  const value = failure ? errorOf(failure, incoming, kernel, state) : {};
  return streamAnswer(incoming, kernel, found, request, formWishes, value);
}

/** `percent=85` on any fault: it strikes that share of the requests, the same ones in every run. */
function happens(fault: Fault, incoming: Incoming, kernel: Kernel): boolean {
  const percent = fault.args['percent'];
  if (percent === undefined) return true;
  if (!/^\d{1,3}$/.test(percent)) throw new FaultError(`the GLM simulator does not know percent "${percent}"; it takes 0 to 100`);
  return Number.parseInt(kernel.hex(incoming, `glm-percent-${fault.name}`, 8), 16) % 100 < Number(percent);
}

function promptOf(endpoint: Endpoint, body: Fields): string {
  if (endpoint === 'embeddings') return peekInput(body);
  if (endpoint === 'rerank') return typeof body['query'] === 'string' ? body['query'] : '';
  return peekLastUser(body);
}

/**
 * GLM counts requests in flight per key and model, and refuses the excess at once (GLM 4.5). No table of limits is
 * public, so there is none here either until `limits concurrency=N` sets one; the `busy` key has 1.
 */
function checkUse(account: GlmKey, kernel: Kernel, state: State, use: { free: boolean; coding: boolean }): void {
  checkAccount(account, use);
  const limit = state.wishes?.concurrency ?? (account.state === 'busy' ? 1 : Number.POSITIVE_INFINITY);
  if (kernel.inFlight(account.name, state.accounting.model ?? '') > limit) throw new Refusal('1302');
}

function rememberRequest(kernel: Kernel, state: State): void {
  if (state.requestId !== null && !kernel.rememberRequestId(state.requestId)) throw new Refusal('1231');
}

/** No `/models` is documented: 404 by default. On demand the list a measurement saw: chat models without the free ones. */
function models(incoming: Incoming, kernel: Kernel): Reply {
  if (!readFaults(kernel.faults(incoming, ''), incoming.region).modelList) return framework(incoming, 404, 'Not Found');
  authenticate(incoming.headers['authorization'], incoming.region, incoming.nowMs);
  const data = MODELS.filter((model) => model.kind === 'chat' && !model.free && !model.old && model.regions.includes(incoming.region));
  const created = Math.floor(incoming.nowMs / 1000);
  return json({ object: 'list', data: data.map(({ name }) => ({ id: name, object: 'model', created, owned_by: 'z-ai' })) });
}

function json(value: unknown, status = 200): Reply {
  return { kind: 'whole', status, headers: JSON_HEADERS, body: JSON.stringify(value) };
}

/** Wrong paths are answered by the web framework, with no `error` object to read a code from. */
function framework(incoming: Incoming, status: number, error: string): Reply {
  const timestamp = new Date(incoming.nowMs).toISOString().replace('Z', '+00:00');
  return json({ timestamp, status, error, path: incoming.path.replace('/api/paas', '') }, status);
}

function errorOf(refusal: Refusal, incoming: Incoming, kernel: Kernel, state: State): Record<string, unknown> {
  const language = languageOf(incoming.headers['accept-language'], incoming.region);
  const shape = state.wishes?.shape ?? PLAIN_SHAPE;
  const requestId = state.requestId ?? answerId(incoming, kernel);
  return errorValue(refusal, messageOf(refusal, language, incoming.nowMs), shape, requestId);
}

function refused(refusal: Refusal, incoming: Incoming, kernel: Kernel, state: State): Handled {
  state.accounting.errorCode = refusal.code;
  const status = state.wishes?.error200 === true ? 200 : refusal.status;
  return { reply: json(errorOf(refusal, incoming, kernel, state), status), accounting: state.accounting };
}

/** A fault nobody can follow: said plainly, in a body no vendor sends. */
function misused(error: FaultError, state: State): Handled {
  state.accounting.errorCode = 'simulator';
  return { reply: json({ simulator: error.message }, 400), accounting: state.accounting };
}
