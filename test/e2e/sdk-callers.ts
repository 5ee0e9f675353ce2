import { setTimeout as sleep } from 'node:timers/promises';
import OpenAI, { APIError } from 'openai';
import { keyOf } from './redis-rig.ts';

/** What came of one call. */
export interface Outcome {
  readonly team: string;
  readonly url: string;
  readonly streamed: boolean;
  /** In the order of calls: those that began after a moment have larger ones. */
  readonly call: number;
  /** `right`, or the error as the SDK tells it: `503 server_error quota_unavailable`; what is neither is told as it was. */
  readonly result: string;
}

export interface Callers {
  /** Of all calls that have ended, in the order of their ends. */
  readonly outcomes: readonly Outcome[];
  /** Calls that have begun. */
  begun(): number;
  /** No call begins from now on; resolves when all have ended. */
  end(): Promise<void>;
}

export interface Load {
  readonly urls: readonly string[];
  /** How many call for each team, without end until a 429 tells them that all is used. */
  readonly teams: Readonly<Record<string, number>>;
  /** Between the pieces of an answer of about twenty. */
  readonly chunkMs: number;
}

/** As long as an app that was refused by a 503 waits at least. */
const AGAIN_MS = 100;
const WORDS = 'a lighthouse keeper counts the ships that pass by night, and writes each of them down';

/** Apps with the official SDK, in this process: each asks one thing after the other, whole and as a stream in turn, of one relay after the other. */
export function startCallers({ urls, teams, chunkMs }: Load): Callers {
  const outcomes: Outcome[] = [];
  let calls = 0;
  let ending = false;
  const caller = async (team: string): Promise<void> => {
    const clients = urls.map((url) => new OpenAI({ baseURL: `${url}/v1`, apiKey: keyOf(team), maxRetries: 0 }));
    while (!ending) {
      const call = calls++;
      const place = call % urls.length;
      const streamed = Math.floor(call / urls.length) % 2 === 0;
      const result = await resultOf(clients[place] as OpenAI, streamed, `Number ${call}: ${WORDS}`, chunkMs);
      outcomes.push({ team, url: urls[place] as string, streamed, call, result });
      if (result.startsWith('429')) return;
      if (result !== 'right') await sleep(AGAIN_MS);
    }
  };
  const all = Promise.all(Object.entries(teams).flatMap(([team, count]) => Array.from({ length: count }, () => caller(team))));
  return {
    outcomes,
    begun: () => calls,
    end: async () => {
      ending = true;
      await all;
    },
  };
}

async function resultOf(client: OpenAI, stream: boolean, text: string, chunkMs: number): Promise<string> {
  const content = `[[sim:echo]] [[sim:slow chunkMs=${chunkMs}]] ${text}`;
  const asked = { model: 'gpt-4o', messages: [{ role: 'user' as const, content }], max_tokens: 100 };
  let said = '';
  let finish: string | null = null;
  try {
    if (stream) {
      for await (const { choices } of await client.chat.completions.create({ ...asked, stream })) {
        said += choices[0]?.delta.content ?? '';
        finish = choices[0]?.finish_reason ?? finish;
      }
    } else {
      const { choices } = await client.chat.completions.create({ ...asked, stream });
      said = choices[0]?.message.content ?? '';
      finish = choices[0]?.finish_reason ?? null;
    }
  } catch (error) {
    const begun = said === '' ? '' : `after ${JSON.stringify(said)}: `;
    if (!(error instanceof APIError) || error.status === undefined) return `${begun}${String(error)}`;
    return `${begun}${error.status} ${error.type} ${error.code}`;
  }
  return said.trim() === text && finish === 'stop' ? 'right' : `${finish} ${JSON.stringify(said)}`;
}
