import type { Answer } from './answer.ts';
import type { Json } from './feature.ts';

/** Longest text of an answer that is kept, in UTF-16 code units. */
const MAX_TEXT = 200;

/** An answer without what differs from run to run. */
export function cameJson({ status, reply, error, json }: Answer): Json {
  const choices = reply?.choices.map(({ finish, content, reasoning, calls, legacyCall }) => ({
    finish,
    content: content === null ? null : short(content),
    ...(reasoning === '' ? {} : { reasoning: short(reasoning) }),
    ...(calls.length === 0 ? {} : { calls: calls.map((call) => ({ name: call.name, arguments: call.arguments })) }),
    ...(legacyCall === null ? {} : { function_call: legacyCall }),
  }));
  return {
    status,
    ...(choices === undefined ? {} : { choices, usage: reply?.usage ?? null }),
    ...(error === null ? {} : { error }),
    ...(choices === undefined && error === null && json !== null ? { keys: Object.keys(json) } : {}),
  };
}

const short = (text: string): string => (text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT).toWellFormed()}…` : text);
