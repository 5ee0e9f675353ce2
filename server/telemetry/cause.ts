import { ERRORS, type ErrorName, OpenAIError } from '../../openai/errors.ts';
import type { RequestRecord } from '../../relay/records/request-record.ts';
import { OTHER } from '../model-names.ts';

export const NO_CAUSE = 'none';

/** What nobody but an admin can mend: the account's key, its money, or a model that it does not have. */
export const ADMIN_CAUSES = ['upstream_auth', 'upstream_out_of_credit', 'upstream_model_unavailable'] as const satisfies ErrorName[];

/** What a request failed of, in the catalogue's words; those of the last backend are more exact than those told to the caller. */
export function causeOf({ reason, error, attempts }: Pick<RequestRecord, 'reason' | 'error' | 'attempts'>): string {
  if (reason === 'client_gone') return reason;
  if (error === null) return NO_CAUSE;
  const cause = attempts.at(-1)?.error ?? error.code;
  return CAUSES.has(cause) ? cause : OTHER;
}

/** Each error by its name and by what the wire calls it. */
const CAUSES: ReadonlySet<string> = new Set(
  (Object.keys(ERRORS) as ErrorName[]).flatMap((name) => [name, new OpenAIError(name, '').code ?? name]),
);
