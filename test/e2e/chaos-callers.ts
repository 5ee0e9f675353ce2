import { request } from 'node:http';
import { ERRORS } from '../../openai/errors.ts';
import { checkCompletion, checkErrorResponse, checkStream, foldCompletion, foldStream } from '../contract/openai-schema.ts';
import { keyOf } from './redis-rig.ts';

/** What one caller was told. */
export interface Told {
  readonly id: string | null;
  /** `done`, `left` by the caller itself, the error's code, or `no answer`. */
  readonly result: string;
  /** Prompt and completion, as the caller was told. */
  readonly tokens: number | null;
  /** What must not be. */
  readonly problems: readonly string[];
}

/** A question, as far as chance decides it. */
export interface Question {
  readonly team: string;
  readonly kind: 'whole' | 'stream' | 'choices' | 'hedged' | 'leaves';
  /** Of the simulator, for this request; empty: none. */
  readonly weather: string;
  /** Number that no other question has. */
  readonly number: number;
}

export const KINDS: readonly Question['kind'][] = ['whole', 'stream', 'stream', 'choices', 'hedged', 'leaves'];
export const WEATHER = [
  'slow chunkMs=15',
  'slow firstByteMs=400',
  'split bytes=7',
  'cut after=1',
  'cut bytes=30',
  'half-frame after=2',
  'garbage after=1',
  'end after=0',
  'end after=2',
  'mid-error after=1',
  'stall after=1',
  'silent',
  'reset',
  'internal',
  'timeout',
  'overload',
  'rate-limit',
  'html status=502',
] as const;

const DOCUMENTED = new Set(Object.entries(ERRORS).map(([name, { type, ...kind }]) => `${type} ${'code' in kind ? kind.code : name}`));

/** Asks, judges every byte of what comes, and never fails itself. */
export function ask(url: string, question: Question): Promise<Told> {
  const { team, kind, weather, number } = question;
  const text = `answer number ${number} of so many, in some more words`;
  const stream = kind === 'stream' || kind === 'leaves';
  const content = `[[sim:say text="${text}"]]${weather === '' ? '' : ` [[sim:${weather}]]`}`;
  const body = JSON.stringify({
    model: kind === 'hedged' ? 'hedged' : 'm',
    stream,
    ...(stream ? { stream_options: { include_usage: true } } : {}),
    ...(kind === 'choices' ? { n: 2 } : {}),
    messages: [{ role: 'user', content }],
  });
  return new Promise((resolve) => {
    const headers = {
      authorization: `Bearer ${keyOf(team)}`,
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
    };
    const asked = request(`${url}/v1/chat/completions`, { method: 'POST', agent: false, headers }, (answer) => {
      const id = String(answer.headers['x-request-id']);
      const pieces: Buffer[] = [];
      answer.on('data', (piece: Buffer) => {
        pieces.push(piece);
        if (kind !== 'leaves' || answer.statusCode !== 200 || pieces.length <= number % 4) return;
        asked.destroy();
        resolve({ id, result: 'left', tokens: null, problems: [] });
      });
      answer.on('error', () => {});
      answer.on('close', () => {
        const bytes = Buffer.concat(pieces);
        if (!answer.complete) resolve({ id, result: 'cut', tokens: null, problems: ['the answer was cut'] });
        else if (answer.statusCode === 200) resolve({ id, ...judged(bytes, stream, text) });
        else resolve({ id, ...refused(answer.statusCode ?? 0, bytes) });
      });
    });
    asked.on('error', () => resolve({ id: null, result: 'no answer', tokens: null, problems: [] }));
    asked.end(body);
  });
}

function judged(bytes: Buffer, stream: boolean, text: string): Omit<Told, 'id'> {
  const check = stream ? checkStream(bytes, { includeUsage: true }) : null;
  if (check !== null && check.error !== null) return { ...failed(check.error), problems: check.problems };
  const body = stream ? null : (JSON.parse(bytes.toString()) as Record<string, unknown>);
  const problems = check?.problems ?? checkCompletion(body);
  const { choices, usage } = body === null ? foldStream(check?.chunks ?? []) : foldCompletion(body);
  const wrong = choices.filter((choice) => choice.content !== text || choice.finish_reason !== 'stop');
  return {
    result: 'done',
    tokens: Number(usage?.['prompt_tokens']) + Number(usage?.['completion_tokens']),
    problems: wrong.length === 0 ? problems : [...problems, `not what the vendor said: ${JSON.stringify(wrong)}`],
  };
}

function refused(status: number, bytes: Buffer): Omit<Told, 'id'> {
  const body = JSON.parse(bytes.toString()) as { error: Record<string, unknown> };
  const { result, problems } = failed(body.error);
  return { result, tokens: null, problems: [...problems, ...checkErrorResponse(status, body)] };
}

function failed(error: Readonly<Record<string, unknown>>): Omit<Told, 'id'> {
  const { type, code } = error;
  const known = DOCUMENTED.has(`${type} ${code}`) && code !== 'internal_error';
  return { result: String(code), tokens: null, problems: known ? [] : [`no error of the list: ${JSON.stringify(error)}`] };
}
