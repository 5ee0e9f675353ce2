import { loadCatalog } from '../catalog/catalog.ts';
import type { Config } from '../config/config.ts';
import type { ChatRequest } from '../openai/chat/request.ts';
import { ChatWants } from '../relay/chat/chat-wants.ts';
import type { KeyEntry } from '../relay/keys/key-entries.ts';
import { LedgerFault } from '../relay/ledger/ledger-store.ts';
import { PriceList } from '../relay/ledger/price-list.ts';
import { permitOf } from '../relay/relay.ts';
import type { Decision, Ranked, Skipped } from '../relay/routing/decision.ts';
import { Latencies } from '../relay/routing/latencies.ts';
import { type Kind, RouteTable } from '../relay/routing/route-table.ts';
import { Selection, type Wants } from '../relay/routing/selection.ts';
import { accessView } from '../server/database/open-access.ts';
import { translatorFor, vectorsFor } from '../translators/registry.ts';
import { SETTINGS } from './access-session.ts';
import { loadOrExplain } from './load.ts';
import { callerNamed } from './stored-caller.ts';

export const NEEDS = ['tools', 'vision', 'audio', 'json', 'thinking', 'no-thinking', 'logprobs'] as const;
export type NeedOption = (typeof NEEDS)[number];

export interface RouteOptions {
  readonly model: string;
  readonly key: string;
  readonly kind: Kind;
  readonly needs?: readonly NeedOption[];
  /** Of the prompt. */
  readonly tokens: number;
  readonly json?: boolean;
  readonly config: string;
}

/** Where a request would go, and why. */
export type Explained =
  | ({ readonly ok: true; readonly key: string; readonly team: string; readonly model: string } & Decision)
  | {
      readonly ok: false;
      readonly key: string;
      readonly team: string;
      readonly model: string;
      readonly why: string;
      readonly skipped: readonly Skipped[];
    };

/** `estafet route`: what the relay would decide, by the same code, and nothing is sent. Exit code 1 where it would refuse. */
export async function route(options: RouteOptions): Promise<void> {
  const loaded = loadOrExplain(options.config);
  const entry = loaded && (await keyEntry(options.key, loaded.config));
  if (loaded === null || entry === null) {
    process.exitCode = 1;
    return;
  }
  const explained = explainRoute(loaded.config, entry, options);
  if (!explained.ok) process.exitCode = 1;
  process.stdout.write(options.json === true ? `${JSON.stringify(explained, null, 2)}\n` : textOf(explained));
}

export function explainRoute(config: Config, { key, team }: KeyEntry, { model, kind, needs = [], tokens }: RouteOptions): Explained {
  const catalog = loadCatalog().with(config.catalog);
  const routes = new RouteTable(config, catalog, translatorFor, vectorsFor);
  const about = { key: key.name, team: team.name, model };
  const found = routes.route(model, permitOf({ key, team }), kind);
  if (!found.ok) return { ok: false, ...about, why: found.why, skipped: found.skipped };
  const prices = new PriceList(catalog, new Date().toISOString().slice(0, 10));
  // What only a running relay knows, how fast each place is and how a draw falls, is left open: the order of the file stands.
  const latencies = new Latencies([], () => 0);
  const selection = new Selection({ priceOf: (backend, name) => prices.price(backend, name), latencies, random: () => 0 });
  return { ok: true, ...about, ...selection.choose(found, wantsOf(model, needs, tokens)).decision };
}

/** Output tokens of a request that says nothing of them. */
const COMMON_OUTPUT_TOKENS = 1_000;

function wantsOf(model: string, needs: readonly NeedOption[], tokens: number): Wants {
  const expected = (): ReturnType<Wants['expected']> => ({ prompt: tokens, completion: COMMON_OUTPUT_TOKENS });
  const chat = new ChatWants(requestWith(model, needs), '', { expected });
  return {
    stream: false,
    lacking: (candidate) => chat.lacking(candidate),
    tight: ({ facts: { contextTokens } }) => contextTokens !== null && tokens > contextTokens,
    expected,
    conversation: () => null,
  };
}

/** The least request that has such needs. */
function requestWith(model: string, needs: readonly NeedOption[]): ChatRequest {
  const has = (need: NeedOption): boolean => needs.includes(need);
  const content = [
    ...(has('vision') ? [{ type: 'image_url' as const, image_url: { url: 'data:' } }] : []),
    ...(has('audio') ? [{ type: 'input_audio' as const, input_audio: { data: '', format: 'wav' } }] : []),
  ];
  return {
    model,
    messages: [{ role: 'user', content }],
    ...(has('tools') ? { tools: [{ type: 'function', function: { name: 'any' } }] } : {}),
    ...(has('json') ? { response_format: { type: 'json_object' } } : {}),
    ...(has('logprobs') ? { logprobs: true } : {}),
    ...(has('no-thinking') ? { reasoning_effort: 'none' } : has('thinking') ? { reasoning_effort: 'medium' } : {}),
  };
}

async function keyEntry(name: string, config: Config): Promise<KeyEntry | null> {
  try {
    const ofFile = await callerNamed(name, config, SETTINGS, null);
    const found = ofFile ?? (await ofDatabase(name, config));
    if (found === null) console.error(`estafet: no key named ${JSON.stringify(name)} is valid, neither in the file nor in the database`);
    return found;
  } catch (error) {
    if (!(error instanceof LedgerFault)) throw error;
    console.error(`estafet: ${error.message}`);
    return null;
  }
}

async function ofDatabase(name: string, config: Config): Promise<KeyEntry | null> {
  const reader = accessView(config.database);
  if (reader === null) return null;
  try {
    await reader.open();
    return await callerNamed(name, config, SETTINGS, reader);
  } finally {
    await reader.close();
  }
}

const REFUSALS: Readonly<Record<string, string>> = {
  unknown: 'the model does not exist for this key: 404 model_not_found',
  region: 'the model is only in regions that are not permitted: 403 region_not_permitted',
  kind: 'the model is of another kind, for another path: 404',
  retired: 'the vendor has retired the model: 502 upstream_model_unavailable',
};

function textOf(explained: Explained): string {
  const { key, team, model, skipped } = explained;
  const lines = [`${model} for key ${key} of team ${team}`];
  if (explained.ok) {
    const { strategy, order, unmet } = explained;
    lines.push(
      `by ${strategy}${strategy === 'weighted' ? ' (drawn for each request or conversation; shown in the order of the file)' : ''}:`,
    );
    lines.push(...order.map((ranked, index) => `  ${index + 1}. ${rankedText(ranked)}`));
    if (unmet !== undefined) lines.push(`no candidate can do everything (${unmet.join(', ')}): each is tried in turn`);
  } else lines.push(`refused: ${REFUSALS[explained.why] ?? explained.why}`);
  if (skipped.length > 0) lines.push('left out:', ...skipped.map(({ to, rule }) => `  ${to}: ${rule}`));
  return `${lines.join('\n')}\n`.replace(/[^\P{Cc}\n]/gu, '?');
}

function rankedText({ to, tier, costNano, currency, tight }: Ranked): string {
  const notes = [
    ...(tier === undefined ? [] : [`tier ${tier}`]),
    ...(costNano === undefined ? [] : [costNano === null ? 'no known price' : `about ${(costNano / 1e9).toFixed(6)} ${currency}`]),
    ...(tight === true ? ['its context is probably too short'] : []),
  ];
  return notes.length === 0 ? to : `${to} (${notes.join(', ')})`;
}
