import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** What a script needs of a client: a single Redis, Sentinel or Cluster connection of ioredis. */
export interface ScriptClient {
  evalsha(sha: string, keys: number, ...keysAndArgs: (string | number)[]): Promise<unknown>;
  eval(lua: string, keys: number, ...keysAndArgs: (string | number)[]): Promise<unknown>;
}

/** As every command of ioredis has it, though its types do not say so: answers are handed on as they come, without a search for texts in them. */
type BufferClient = ScriptClient & { readonly evalshaBuffer: ScriptClient['evalsha'] };

export interface Script {
  readonly name: string;
  run(client: ScriptClient, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown>;
}

/** Nothing was carried out: the server lacks the script, or (Cluster) it is not the one to ask, or the batch it was in had no one place. */
const SENT_ANEW = /NOSCRIPT|^(?:MOVED|ASK|TRYAGAIN|CLUSTERDOWN) |same slots allocation group/;

/**
 * lua/<name>.lua, with the parts it builds on before it. A server that does not know it (new, failed over, flushed) gets its whole text,
 * which cannot fail for that reason again: `defineCommand` of ioredis sends a hash a second time, and loses under repeated SCRIPT FLUSH. So
 * does what a Cluster has moved: the client sends the text by itself, outside of any batch, and so follows it to where it belongs.
 * @param answer `integers`: the script answers numbers only
 * @param beside the module whose folder has `lua/`
 */
export function loadScript(
  name: string,
  parts: readonly string[],
  answer: 'integers' | 'text' = 'text',
  beside: string = import.meta.url,
): Script {
  const lua = [...parts, name].map((part) => readFileSync(new URL(`lua/${part}.lua`, beside), 'utf8')).join('\n');
  const sha = createHash('sha1').update(lua).digest('hex');
  const call = answer === 'integers' ? 'evalshaBuffer' : 'evalsha';
  return {
    name,
    run: (client, keys, args) =>
      (client as BufferClient)[call](sha, keys.length, ...keys, ...args).catch((error: unknown) => {
        if (!(error instanceof Error) || !SENT_ANEW.test(error.message)) throw error;
        return client.eval(lua, keys.length, ...keys, ...args);
      }),
  };
}
