import { OpenAIError } from '../../openai/errors.ts';
import type { RequestRecords } from '../../relay/records/request-records.ts';
import type { ReceiptReader } from '../../routes/http/deps.ts';
import type { Wanted } from './calls.ts';

/** The other workers, as one of them sees them. */
export interface Siblings {
  /** Of this worker, from 1. */
  readonly number: number;
  /** The metrics of all, this one among them, in Prometheus's text form. */
  text(): Promise<string>;
  /** A receipt that another keeps. @throws Error when not all of them said in time */
  find(wanted: Wanted): Promise<string | null>;
}

/** Receipts of all workers: the others are asked only for what is not here. */
export function withSiblings(records: Pick<RequestRecords, 'find'>, siblings: Pick<Siblings, 'find'>): ReceiptReader {
  return {
    find: (id, key, nowMs) => {
      const mine = records.find(id, key, nowMs);
      // What is no id is nobody's.
      return mine !== null || id === '' ? mine : elsewhere(id, key, siblings);
    },
  };
}

/** Not to be known is only said of an id that nobody knows. */
async function elsewhere(id: string, key: string, siblings: Pick<Siblings, 'find'>): Promise<string | null> {
  try {
    return await siblings.find({ id, key });
  } catch (cause) {
    throw new OpenAIError('overloaded', 'Not every process of this relay said in time whether it keeps this receipt. Please try again.', {
      retryAfterMs: 1000,
      cause,
    });
  }
}
