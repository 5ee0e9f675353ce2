/**
 * What is wrong with `redis`, or undefined. Never repeats what was written: a URL may hold a password. The client would take many other
 * texts too, as the name of a host or of a socket, and then try it for ever.
 */
export function redisFault(text: string): string | undefined {
  if (!/^rediss?:\/\//.test(text)) return 'must be an address such as `redis://host:6379`, or `rediss://…` for TLS';
  if (!URL.canParse(text) || new URL(text).hostname === '')
    return 'is not a URL with a host; `/`, `:` and `@` in a password are written %2F, %3A and %40';
  const { pathname } = new URL(text);
  return /^(?:\/\d*)?$/.test(pathname) ? undefined : 'must have nothing or the number of a database after the host';
}
