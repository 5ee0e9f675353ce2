import { type DestinationStream, type Logger, pino } from 'pino';
import type { OpenAIError } from '../../openai/errors.ts';
import type { RequestRecord } from '../../relay/records/request-record.ts';
import type { RequestTrace } from '../../relay/request-trace.ts';
import { LogFile } from './log-file.ts';

export type { Logger } from 'pino';

const STDOUT = 1;

/**
 * JSON lines on standard output, written in batches so that a request waits for no disk. Records are built by us field by field: no prompt,
 * answer, header or key can get in.
 *
 * @param worker of several; in every line then
 */
export function createLogger(level: string, destination?: DestinationStream, worker?: number): Logger {
  const options = {
    level,
    base: worker === undefined ? null : { worker },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  return pino(options, destination ?? standardOutput());
}

/** The one way to it that a process should have: two would write into each other's lines. */
export const standardOutput = (): LogFile => new LogFile(STDOUT, { onFault: tellFault });

/** On the other output: the log itself is what fails. */
function tellFault({ code, message }: NodeJS.ErrnoException): void {
  console.error(
    `estafet: the log cannot be written (${code ?? message}); requests are served, and the last 8 MB of lines are kept in memory until it can.`,
  );
}

/** Batches are written at the latest after this long. */
const FLUSH_MS = 500;

/** Keeps the log at most half a second behind; returns what stops it. */
export function flushRegularly(logger: Logger): () => void {
  const timer = setInterval(() => logger.flush(), FLUSH_MS).unref();
  return () => clearInterval(timer);
}

/** A reader of the log that has stopped reading holds nobody up for longer. */
const LAST_FLUSH_MS = 500;

/** Resolves when all lines are written, or cannot be. */
export function flushed(logger: Logger): Promise<void> {
  return new Promise((resolve) => {
    const late = setTimeout(resolve, LAST_FLUSH_MS);
    logger.flush(() => {
      clearTimeout(late);
      resolve();
    });
  });
}

/**
 * One line per request: its record as it stands, under the level and time of any other line. The record's text is made once for the log
 * and the look-up, and goes past pino, which would write every field anew.
 *
 * @param text the record as JSON
 * @param more fields that the line has and the record has not, as JSON behind a comma
 */
export function logRequest(logger: Logger, { error, status, reason }: RequestRecord, text: string, more = ''): void {
  const level = error !== null && (status >= 500 || reason === 'vendor_error') ? 'warn' : 'info';
  if (!logger.isLevelEnabled(level)) return;
  const { [pino.symbols.streamSym]: stream, [pino.symbols.chindingsSym]: worker } = logger as unknown as Inside;
  stream.write(`{"level":"${level}","time":"${new Date().toISOString()}"${worker},${text.slice(1, -1)}${more},"msg":"request"}\n`);
}

/** Where lines go, and `,"worker":2` or nothing. */
interface Inside {
  readonly [pino.symbols.streamSym]: DestinationStream;
  readonly [pino.symbols.chindingsSym]: string;
}

/** Errors of the relay itself, with their cause; callers' mistakes at debug level, since a record or their status tells them. */
export function logError(
  logger: Logger,
  error: OpenAIError,
  requestId: string,
  method: string,
  path: string,
  trace: RequestTrace | null,
): void {
  const traced = trace === null ? {} : { traceId: trace.traceId };
  const fields = { id: requestId, ...traced, method, path, status: error.status, code: error.code ?? error.kind };
  if (error.kind === 'internal_error') logger.error({ ...fields, error: describe(error.cause) }, 'internal error');
  else if (error.details.evidence !== undefined) logger.info({ ...fields, evidence: error.details.evidence }, 'refused by routing');
  else logger.debug({ ...fields, reason: error.message }, 'refused');
}

/** A fault of our own after the answer of a request: its caller has noticed nothing. */
export function logFault(logger: Logger, fault: unknown, requestId: string): void {
  logger.error({ id: requestId, error: describe(fault) }, 'internal error after an answer');
}

function describe(cause: unknown): string {
  return cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
}

/** The store of limits fails; requests are refused meanwhile. At most one line a second says so. */
export function logQuotaFault(logger: Logger, fault: unknown, waiting: number): void {
  const now = Date.now();
  if (now - (lastQuotaLine.get(logger) ?? 0) < 1000) return;
  lastQuotaLine.set(logger, now);
  logger.error({ error: fault instanceof Error ? fault.message : String(fault), waiting }, 'the store of limits fails');
}

const lastQuotaLine = new WeakMap<Logger, number>();
