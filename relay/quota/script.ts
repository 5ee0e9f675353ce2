import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** What a script needs of a client: a single Redis, Sentinel or Cluster connection of ioredis. */
export interface ScriptClient {
  evalsha(sha: string, keys: number, ...keysAndArgs: (string | number)[]): Promise<unknown>;
  eval(lua: string, keys: number, ...keysAndArgs: (string | number)[]): Promise<unknown>;
}

export type Script = (client: ScriptClient, keys: readonly string[], args: readonly (string | number)[]) => Promise<unknown>;

/**
 * lua/<name>.lua, with the parts it builds on before it. A server that does not know it (new, failed over, flushed) gets its whole text,
 * which cannot fail for that reason again: `defineCommand` of ioredis sends a hash a second time, and loses under repeated SCRIPT FLUSH.
 */
export function loadScript(name: string, parts: readonly string[]): Script {
  const lua = [...parts, name].map((part) => readFileSync(new URL(`lua/${part}.lua`, import.meta.url), 'utf8')).join('\n');
  const sha = createHash('sha1').update(lua).digest('hex');
  return async (client, keys, args) => {
    try {
      return await client.evalsha(sha, keys.length, ...keys, ...args);
    } catch (error) {
      if (!(error instanceof Error) || !error.message.includes('NOSCRIPT')) throw error;
      return await client.eval(lua, keys.length, ...keys, ...args);
    }
  };
}
