import type { OpenAIError } from '../../openai/errors.ts';
import { BackendClient } from '../../relay/upstream/backend-client.ts';
import { DeadlineWheel } from '../../relay/upstream/deadlines.ts';
import type { UpstreamCall } from '../../relay/upstream/upstream-call.ts';
import { configOf, digestOf } from '../http/desk.ts';
import { type Backend, type Script, scripted } from './backends.ts';

const closing: (() => Promise<unknown>)[] = [];
/** Closed by `closeAll`, the last one first. */
export function closeLater(close: () => Promise<unknown>): void {
  closing.push(close);
}

/** After each test: what it opened. */
export async function closeAll(): Promise<void> {
  for (const close of closing.splice(0).reverse()) await close();
}

/** A call, and what came of it. */
export interface Heard {
  readonly call: UpstreamCall;
  readonly heads: number[];
  readonly headers: Record<string, unknown>;
  text: string;
  error: OpenAIError | null;
  /** How it ended. */
  readonly over: Promise<'end' | 'fail'>;
  settled: boolean;
}

export function clientFor(
  url: string,
  more = '',
  vendor = 'qwen',
  key = 'sk-backend',
): { client: BackendClient; ask: (body?: string) => Heard } {
  const wheel = new DeadlineWheel();
  wheel.start(5);
  const config = configOf(
    `backends: { q: { vendor: ${vendor}, baseUrl: '${url}/base/v1/', apiKey: 'env:K'${more} } }
teams: { t: { permit: { vendors: [qwen], regions: ['*'] } } }
keys: [{ name: k, team: t, key: '${digestOf('k'.repeat(20))}' }]
`,
    { K: key },
  );
  const backend = config.backends['q'];
  if (backend === undefined) throw new Error('no backend');
  const client = new BackendClient(backend, wheel, 'estafet/test');
  closing.push(async () => {
    await client.destroy();
    wheel.stop();
  });
  const ask = (body = '{"a":1}'): Heard => {
    const over = Promise.withResolvers<'end' | 'fail'>();
    const heard: { -readonly [K in keyof Heard]: Heard[K] } = {
      call: undefined as never,
      heads: [],
      headers: {},
      text: '',
      error: null,
      over: over.promise,
      settled: false,
    };
    const settle = (how: 'end' | 'fail'): void => {
      if (heard.settled) throw new Error('settled twice');
      heard.settled = true;
      over.resolve(how);
    };
    heard.call = client.post('/chat', body, 'req_1', {
      onHead: (status, headers) => {
        heard.heads.push(status);
        Object.assign(heard.headers, headers);
      },
      onData: (chunk) => {
        heard.text += chunk.toString('utf8');
      },
      onEnd: () => settle('end'),
      onFail: (error) => {
        heard.error = error;
        settle('fail');
      },
    });
    return heard;
  };
  return { client, ask };
}

/** A client and a backend that follows a script. */
export async function against(
  script: Script,
  more = '',
): Promise<{ server: Backend; ask: (body?: string) => Heard; client: BackendClient }> {
  const server = await scripted(script);
  closing.push(() => server.close());
  return { server, ...clientFor(server.url, more) };
}
