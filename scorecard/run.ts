import { type Answer, readAnswer } from './answer.ts';
import type { Cell, Evidence } from './card.ts';
import { cameJson } from './evidence.ts';
import type { Ask, CardModel, Change, Feature, Json, Probe, Seen } from './feature.ts';
import { judge, type Verdict, worse } from './verdict.ts';
import type { WireLog } from './wire-log.ts';

/** A relay to ask, over HTTP like any app. */
export interface CardRelay {
  /** `http://host:port` */
  readonly url: string;
  readonly keys: { readonly main: string; readonly strict: string };
  /** What the vendors see; null on live backends. */
  readonly log: WireLog | null;
}

const WRONG_KEY = 'sk-scorecard-no-such-key';
/** The record of a request is there once it is settled, a moment after its answer has ended. */
const RECORD_TRIES = 20;
const RECORD_WAIT_MS = 5;

/** One after the other: the journal of the vendors is read between them. */
export async function runCells(relay: CardRelay, models: readonly CardModel[], features: readonly Feature[]): Promise<Cell[]> {
  const cells: Cell[] = [];
  for (const model of models)
    for (const feature of features) if (feature.kind === model.kind) cells.push(await runCell(relay, model, feature));
  return cells;
}

async function runCell(relay: CardRelay, model: CardModel, feature: Feature): Promise<Cell> {
  const id = `${feature.id}/${model.backend}/${model.model}`;
  const cell = { id, feature: feature.id, backend: model.backend, model: model.model };
  if (model.retired) return { ...cell, verdict: 'untested', why: 'the vendor has retired this model', evidence: [] };
  const probes = feature.probes(relay.log !== null, model);
  let verdict: Verdict = 'untested';
  let why = probes.length === 0 ? 'nothing that could be judged on a live backend' : '';
  const evidence: Evidence[] = [];
  for (const probe of probes) {
    const tried = await runProbe(relay, model, feature, probe);
    evidence.push(tried);
    if (evidence.length === 1 || worse(verdict, tried.verdict)) ({ verdict, why } = tried);
  }
  return { ...cell, verdict, why, evidence };
}

async function runProbe(relay: CardRelay, model: CardModel, feature: Feature, probe: Probe): Promise<Evidence> {
  await relay.log?.clear();
  const answer = await ask(relay, model, probe.ask);
  const changes = await receiptOf(relay, probe.ask, answer);
  const seen: Seen = { sent: relay.log === null ? null : await relay.log.read(), changes };
  const judged = judge(feature, probe, model, answer, seen);
  const { verdict, why } =
    judged.verdict === 'degraded' || judged.verdict === 'emulated' ? await heldStrict(relay, model, probe, seen, judged) : judged;
  return {
    verdict,
    why,
    asked: askedJson(probe.ask),
    came: cameJson(answer),
    receipt: changes.map((change) => ({ ...change })),
    sent: seen.sent?.map(({ path, body }) => ({ path, body })) ?? null,
  };
}

const askedJson = ({ path, method, body, raw, key }: Ask): Json => ({
  ...(path === undefined ? {} : { path }),
  ...(method === undefined ? {} : { method }),
  ...(key === undefined ? {} : { key }),
  ...(raw === undefined ? {} : { raw }),
  ...(body === undefined ? {} : { body }),
});

/** What alters an answer must be refused, by name, to a key that is strict. */
async function heldStrict<T>(relay: CardRelay, model: CardModel, probe: Probe, { changes, sent }: Seen, judged: T) {
  const altering = changes.filter(({ alters }) => alters).map(({ field }) => field);
  if (sent === null || altering.length === 0) return judged;
  const { status, error } = await ask(relay, model, { ...probe.ask, key: 'strict' });
  if (status === 400 && altering.includes(String(error?.['param']))) return judged;
  return {
    verdict: 'failed' as const,
    why: `a strict key is not refused ${altering.join(', ')}: ${status} ${String(error?.['message'] ?? '')}`,
  };
}

async function ask(
  { url, keys }: CardRelay,
  { alias }: CardModel,
  { path = '/chat/completions', method = 'POST', body, raw, key = 'main' }: Ask,
): Promise<Answer> {
  const sent: Json | null = method === 'GET' ? null : { model: alias, ...body };
  const response = await fetch(`${url}/v1${path.replace(':model', alias)}`, {
    method,
    headers: { authorization: `Bearer ${key === 'wrong' ? WRONG_KEY : keys[key]}`, 'content-type': 'application/json' },
    body: sent === null ? null : (raw ?? JSON.stringify(sent)),
  });
  return readAnswer(response, await response.text(), sent, path === '/chat/completions');
}

/** Empty for a request that was refused before a backend was chosen: it has none. */
async function receiptOf(
  { url, keys }: CardRelay,
  { method, key = 'main' }: Ask,
  { requestId, status }: Answer,
): Promise<readonly Change[]> {
  if (key === 'wrong' || method === 'GET' || requestId === null) return [];
  for (let tries = status === 200 ? RECORD_TRIES : 1; tries > 0; tries--) {
    const response = await fetch(`${url}/v1/estafet/requests/${requestId}`, { headers: { authorization: `Bearer ${keys[key]}` } });
    const { receipt } = (await response.json()) as { receipt?: { changes: readonly Change[] } | null };
    if (response.status === 200) return receipt?.changes ?? [];
    await new Promise((resolve) => setTimeout(resolve, RECORD_WAIT_MS));
  }
  return [];
}
