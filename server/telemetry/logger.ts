import { type DestinationStream, type Logger, pino } from 'pino';
import type { OpenAIError } from '../../openai/errors.ts';
import { fateCounts, type RequestRecord } from '../../relay/records/request-record.ts';

export type { Logger } from 'pino';

/**
 * JSON lines on standard output, written in batches so that a request waits for no disk. Records are built by us field by field: no prompt,
 * answer, header or key can get in.
 */
export function createLogger(level: string, destination?: DestinationStream): Logger {
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  return pino(options, destination ?? pino.destination({ sync: false, minLength: 4096 }));
}

/** Batches are written at the latest after this long. */
const FLUSH_MS = 500;

/** Keeps the log at most half a second behind; returns what stops it. */
export function flushRegularly(logger: Logger): () => void {
  const timer = setInterval(() => logger.flush(), FLUSH_MS).unref();
  return () => clearInterval(timer);
}

/** One line per chat request, receipt included. */
export function logRequest(logger: Logger, record: RequestRecord): void {
  const { receipt, object: _, ...rest } = record;
  const level = record.error === null ? 'info' : record.status >= 500 || record.reason === 'vendor_error' ? 'warn' : 'info';
  logger[level]({ ...rest, fates: receipt === null ? null : fateCounts(receipt), changes: receipt?.changes ?? [] }, 'request');
}

/** Errors of the relay itself, with their cause; callers' mistakes at debug level, since a record or their status tells them. */
export function logError(logger: Logger, error: OpenAIError, requestId: string, method: string, path: string): void {
  const fields = { id: requestId, method, path, status: error.status, code: error.code ?? error.kind };
  if (error.kind === 'internal_error') logger.error({ ...fields, error: describe(error.cause) }, 'internal error');
  else logger.debug({ ...fields, reason: error.message }, 'refused');
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
