/**
 * The framing of OpenAI's chat streams, to the byte. Real SDKs accept more (CRLF, no space after the colon); a relay must not send it, since
 * home-made readers split on "\n\n" and cut six characters. `event:`, `id:`, `retry:` and events without data break openai-python.
 */

/** One event: the text after `data: `, and its place for messages. Comments carry nothing and are not listed. */
export interface StrictEvent {
  data: string;
  /** Number of the block in the stream, from 0, comments counted. */
  block: number;
}

/** Splits a stream that must be spotless; whatever is not goes into `problems`, the rest is read on. */
export function parseStrictSse(raw: Uint8Array | string): { events: StrictEvent[]; problems: string[] } {
  const problems: string[] = [];
  const text = decode(raw, problems);
  if (text.includes('\r')) problems.push('stream has a carriage return');
  const blocks = text.split('\n\n');
  const rest = blocks.pop();
  if (rest !== '') {
    problems.push(`stream ends without a blank line after ${JSON.stringify(rest?.slice(-60))}`);
    blocks.push(rest ?? '');
  }
  const events: StrictEvent[] = [];
  let ended = false;
  for (const [block, content] of blocks.entries()) {
    const lines = content.split('\n');
    const data: string[] = [];
    for (const line of lines) {
      if (line.startsWith('data: ') && line.length > 'data: '.length) data.push(line.slice('data: '.length));
      else if (!line.startsWith(': '))
        problems.push(`block ${block}: line ${JSON.stringify(line.slice(0, 60))} is neither data nor comment`);
    }
    if (data.length > 1) problems.push(`block ${block}: ${data.length} data lines in one event`);
    if (data.length === 1 && lines.length > 1) problems.push(`block ${block}: data shares its event with other lines`);
    if (ended) problems.push(`block ${block}: something follows [DONE]`);
    if (data.length > 0) events.push({ data: data.join('\n'), block });
    ended ||= data.includes('[DONE]');
  }
  return { events, problems };
}

function decode(raw: Uint8Array | string, problems: string[]): string {
  if (typeof raw === 'string') {
    // Whoever decoded it may have hidden a cut character behind the replacement character.
    if (raw.includes('\uFFFD')) problems.push('stream is not valid UTF-8 (replacement character in the decoded text)');
    return raw;
  }
  try {
    // ignoreBOM keeps a byte order mark in the text, where it then breaks the first line as it does for readers.
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(raw);
  } catch {
    problems.push('stream is not valid UTF-8');
    return new TextDecoder('utf-8', { ignoreBOM: true }).decode(raw);
  }
}
