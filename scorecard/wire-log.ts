import type { Json } from './feature.ts';

/** One request as the vendor saw it. */
export interface SentRequest {
  readonly path: string;
  /** Of DashScope's own protocol `input` and `parameters` are opened: the fields stand side by side. */
  readonly body: Json;
}

/** Where the requests that reach the vendors can be read. */
export interface WireLog {
  clear(): Promise<void>;
  read(): Promise<readonly SentRequest[]>;
}

/** What changes from run to run and tells nothing. */
const CHANCE = new Set(['request_id']);

/** The journal of the simulator, by its admin API. */
export function simulatorLog(admin: string): WireLog {
  const url = `${admin}/requests`;
  return {
    clear: async () => {
      await ok(await fetch(url, { method: 'DELETE' }));
    },
    read: async () => {
      const { requests } = (await ok(await fetch(url))) as { requests: readonly { path: string; body: unknown }[] };
      return requests.map(({ path, body }) => ({ path, body: opened(body) }));
    },
  };
}

async function ok(response: Response): Promise<unknown> {
  if (!response.ok) throw new Error(`the simulator's admin API answered ${response.status}`);
  return response.json();
}

function opened(body: unknown): Json {
  if (body === null || typeof body !== 'object') return {};
  const { input, parameters, ...rest } = body as Record<string, unknown>;
  const flat = parameters === undefined ? (body as Json) : { ...rest, ...(input as Json), ...(parameters as Json) };
  return Object.fromEntries(Object.entries(flat).filter(([name]) => !CHANCE.has(name)));
}
