/** Frames and whole bodies played to an `AnswerReader`, and what it tells of them. */
import type { ChatEvents, Citation } from '../../../openai/chat/events.ts';
import { OpenAIError } from '../../../openai/errors.ts';
import { type AnswerDialect, AnswerReader } from '../../../translators/compatible/answer-reader.ts';
import { looksLikeError } from '../../../translators/compatible/failure.ts';

export const DIALECT: AnswerDialect = {
  finish: (word) => (word === 'length' ? 'length' : word === 'tool_calls' ? 'tool_calls' : 'stop'),
  isError: looksLikeError,
  error: (json) => new OpenAIError('upstream_overloaded', json),
};

/** Events as text, one a line: `text 0 Hi`. */
export class Log implements ChatEvents {
  readonly lines: string[] = [];
  text(choice: number, text: string, logprobs?: readonly unknown[]): void {
    this.lines.push(`text ${choice} ${text}${logprobs === undefined ? '' : ` ${JSON.stringify(logprobs)}`}`);
  }
  reasoning(choice: number, text: string): void {
    this.lines.push(`reasoning ${choice} ${text}`);
  }
  tool(choice: number, call: number, id: string, name: string): void {
    this.lines.push(`tool ${choice}.${call} ${JSON.stringify(id)} ${JSON.stringify(name)}`);
  }
  args(choice: number, call: number, piece: string): void {
    this.lines.push(`args ${choice}.${call} ${piece}`);
  }
  citations(choice: number, list: readonly Citation[]): void {
    this.lines.push(`citations ${choice} ${list.map(({ url, mark }) => `${url} ${mark}`).join(', ')}`);
  }
  finish(choice: number, reason: string): void {
    this.lines.push(`finish ${choice} ${reason}`);
  }
  usage(usage: object): void {
    this.lines.push(`usage ${Object.values(usage).join(' ')}`);
  }
}

/** Frames as values (or raw text) → what was told, `error: kind` last if it failed. */
export function read(frames: readonly unknown[], dialect: AnswerDialect = DIALECT): string[] {
  const log = new Log();
  const reader = new AnswerReader(log, dialect);
  try {
    for (const frame of frames) reader.frame(typeof frame === 'string' ? frame : JSON.stringify(frame));
    reader.end();
  } catch (error) {
    log.lines.push(`error ${kindOf(error)}`);
  }
  return log.lines;
}

export function whole(body: unknown, dialect: AnswerDialect = DIALECT): string[] {
  const log = new Log();
  try {
    new AnswerReader(log, dialect).whole(body);
  } catch (error) {
    log.lines.push(`error ${kindOf(error)}`);
  }
  return log.lines;
}

function kindOf(error: unknown): string {
  if (error instanceof OpenAIError) return error.kind;
  throw error;
}

export const delta = (fields: object, rest: object = {}): object => ({ choices: [{ index: 0, delta: fields, ...rest }] });
export const calls = (...list: object[]): object => delta({ tool_calls: list });
export const fn = (name: unknown, args: unknown): object => ({ type: 'function', function: { name, arguments: args } });
export const END = delta({}, { finish_reason: 'stop' });
