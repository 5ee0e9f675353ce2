import { type ErrorDetails, OpenAIError } from '../../openai/errors.ts';
import type { Candidate } from './route-table.ts';

/** No such model, or not for this caller: it cannot tell which. @param asked as the caller wrote it */
export const unknownModel = (asked: string, details: ErrorDetails = {}): OpenAIError =>
  new OpenAIError('model_not_found', `The model \`${shownModel(asked)}\` does not exist or you do not have access to it.`, details);

/** Bounded and printable. */
export const shownModel = (asked: string): string => asked.slice(0, 200).replace(/[\p{Cc}`]/gu, '?');

/**
 * A vendor's word that it has no such model. Of one that is configured or in the catalogue an admin must hear; a name that nobody has listed
 * was the caller's own mistake, which opens no breaker and alarms nobody. Any other error as it is.
 */
export function ofCallersModel(error: OpenAIError, { listed }: Pick<Candidate, 'listed'>, asked: string): OpenAIError {
  return listed || error.kind !== 'upstream_model_unavailable' ? error : unknownModel(asked, error.details);
}
