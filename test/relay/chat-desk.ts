import { configOf, type Desk, digestOf, KEY, openRelay } from '../http/desk.ts';
import { type Backend, type Script, scripted } from './backends.ts';

/** A relay in front of two scripted backends, asked as `m` (first, then second), `one` (first only) and `two` (second only). */
export interface ChatDesk {
  readonly desk: Desk;
  readonly first: Backend;
  readonly second: Backend;
  script: { first: Script; second: Script };
  close(): Promise<void>;
}

export interface DeskOptions {
  readonly server?: string;
  readonly backend?: string;
  readonly key?: string;
}

export async function openChatDesk(options: DeskOptions = {}): Promise<ChatDesk> {
  const silent: Script = (socket) => socket.destroy();
  const script = { first: silent, second: silent };
  const first = await scripted((...args) => script.first(...args));
  const second = await scripted((...args) => script.second(...args));
  const config = configOf(
    `server: { port: 0, drainTimeoutMs: 300${options.server ?? ''} }
backends:
  a: { vendor: qwen, baseUrl: '${first.url}/v1', apiKey: 'env:A', retries: 0, breaker: off${options.backend ?? ''} }
  b: { vendor: glm, baseUrl: '${second.url}/v4', apiKey: 'env:B', retries: 0, breaker: off${options.backend ?? ''} }
models: { m: [a/qwen-plus, b/glm-4.6], one: [a/qwen-plus], two: [b/glm-4.6] }
teams: { t: { permit: { vendors: [qwen, glm], regions: ['*'] } } }
keys: [{ name: k, team: t, key: '${digestOf(KEY)}'${options.key ?? ''} }]
`,
    { A: 'sk-secret-of-backend-a', B: 'id.secret-of-backend-b' },
  );
  const desk = await openRelay(config);
  return {
    desk,
    first,
    second,
    script,
    close: async () => {
      await desk.close();
      await first.close();
      await second.close();
    },
  };
}

export interface Told {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** Text of all deltas, or of the whole message. */
  readonly content: string;
  readonly finishes: string[];
  readonly done: boolean;
  readonly error: { code: string | null; message: string; type: string; param: string | null } | null;
  readonly usage: { prompt_tokens: number; completion_tokens: number } | null;
}

interface Wire {
  readonly choices?: readonly { delta?: { content?: string }; message?: { content?: string }; finish_reason?: string | null }[];
  readonly error?: Told['error'];
  readonly usage?: Told['usage'];
}

export async function tell(desk: Desk, model: string, more: Record<string, unknown> = {}): Promise<Told> {
  const answer = await fetch(`${desk.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model, messages: [{ role: 'user', content: 'x' }], ...more }),
  });
  return read(answer.status, answer.headers, await answer.text());
}

function read(status: number, headers: Headers, text: string): Told {
  const stream = headers.get('content-type')?.startsWith('text/event-stream') === true;
  const datas = stream
    ? text
        .split('\n\n')
        .filter((event) => event.startsWith('data: '))
        .map((event) => event.slice(6))
    : [text];
  const bodies = datas.filter((data) => data !== '[DONE]').map((data) => JSON.parse(data) as Wire);
  const choices = bodies.flatMap((body) => body.choices ?? []);
  return {
    status,
    headers,
    text,
    content: choices.map(({ delta, message }) => delta?.content ?? message?.content ?? '').join(''),
    finishes: choices.flatMap(({ finish_reason }) => (finish_reason == null ? [] : [finish_reason])),
    done: stream && datas.at(-1) === '[DONE]',
    error: bodies.find((body) => body.error !== undefined)?.error ?? null,
    usage: bodies.findLast((body) => body.usage != null)?.usage ?? null,
  };
}
