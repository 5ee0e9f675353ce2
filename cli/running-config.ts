import { z } from 'zod';
import type { Config } from '../config/config.ts';
import { portable, restored } from '../config/portable.ts';
import { VERSION } from '../server/version.ts';

/** Holds the token of `server.admin`: on the command line every user of the machine could read it. */
const TOKEN = 'ESTAFET_ADMIN_TOKEN';
const WITHIN_MS = 10_000;

/** Two configurations that can be compared: fingerprints stand for secrets in both. */
export interface Compared {
  readonly old: Config;
  readonly next: Config;
}

export class NotCompared extends Error {}

/** Of the configuration only what another release would not have, or have otherwise, is relied upon: the version says that it is the same. */
const shownSchema = z.object({
  object: z.literal('estafet.config'),
  version: z.string(),
  salt: z.string().min(1),
  config: z.looseObject({ file: z.string(), server: z.looseObject({}), keys: z.array(z.unknown()) }),
});

export const isAddress = (text: string): boolean => /^https?:\/\//i.test(text);

/**
 * What a running relay has in force, beside what a file would put there.
 * @param base its address, as an app has it or without `/v1`
 * @throws NotCompared with what is wrong, in one line without the token
 */
export async function againstRunning(next: Config, base: string, env: Readonly<Record<string, string | undefined>>): Promise<Compared> {
  const text = await read(base, env[TOKEN]);
  const { version } = parsed(z.object({ object: z.literal('estafet.config'), version: z.string() }), text, base);
  if (version !== VERSION) {
    throw new NotCompared(
      `${base} runs Estafet ${version}, but this is ${VERSION}, which may read a file differently: use the same release as there, or compare with its file`,
    );
  }
  const { salt, config } = parsed(shownSchema, text, base);
  const old = restored(config);
  return { old, next: restored(portable(withOverrides(next, old), salt)) };
}

async function read(base: string, token: string | undefined): Promise<string> {
  const url = addressOf(base);
  if (token === undefined || token === '') {
    throw new NotCompared(`the environment variable ${TOKEN} is not set: set it to the server.admin token of the running relay`);
  }
  let answer: Response;
  let text: string;
  try {
    answer = await fetch(url, {
      headers: { authorization: `Bearer ${token}`, accept: 'application/json' },
      // The token is for this address, not for one that it names.
      redirect: 'manual',
      signal: AbortSignal.timeout(WITHIN_MS),
    });
    text = await answer.text();
  } catch (error) {
    throw new NotCompared(`${base} ${faultText(error)}`);
  }
  if (answer.status === 200) return text;
  throw new NotCompared(`${base} ${refusalText(answer.status, isOurs(text), answer.headers.get('location'))}`);
}

function addressOf(base: string): URL {
  // Not repeated: there may be a password in it.
  if (!URL.canParse(base)) throw new NotCompared('the address is not a valid URL');
  const url = new URL(base);
  if (url.username !== '' || url.password !== '') throw new NotCompared('the address must not contain a user name or password');
  url.pathname = `${url.pathname.replace(/\/+$/, '').replace(/\/v1$/, '')}/v1/estafet/config`;
  url.search = '';
  url.hash = '';
  return url;
}

function refusalText(status: number, ours: boolean, location: string | null): string {
  if (status >= 300 && status < 400) return `redirects to another address (${location ?? 'not named'}): use that one`;
  if (!ours) return `is not an Estafet relay, or a proxy in front of it answered: status ${status}`;
  if (status === 401) return `refuses the token in ${TOKEN}: it must be that of server.admin there`;
  if (status === 404) return 'does not show its configuration: set server.admin.token there';
  return `answers ${status}`;
}

/** An error in OpenAI's form, as the relay answers whatever fails. */
const isOurs = (text: string): boolean => z.object({ error: z.object({ message: z.string() }) }).safeParse(json(text)).success;

function faultText(error: unknown): string {
  if (error instanceof Error && error.name === 'TimeoutError') return `did not answer within ${WITHIN_MS / 1000} s`;
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return `cannot be reached: ${cause instanceof Error ? cause.message || cause.name : String(cause)}`;
}

function parsed<T extends z.ZodType>(schema: T, text: string, base: string): z.output<T> {
  const result = schema.safeParse(json(text));
  if (!result.success) throw new NotCompared(`${base} is not an Estafet relay: its answer has another form`);
  return result.data;
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** What the command line or the environment of the running relay sets stays as it is, whatever its file says. */
function withOverrides(next: Config, { server, overridden = [] }: Config): Config {
  const kept = Object.fromEntries(overridden.map((name) => [name, server[name]]));
  return { ...next, server: { ...next.server, ...kept } };
}
