import { OpenAIError } from '../../openai/errors.ts';

/** The deadline of a request has passed while its limits held it: nothing was sent, and no backend is to blame. */
export const tooLate = (): OpenAIError =>
  new OpenAIError('overloaded', 'The time for this request was over before a backend could be asked. Please try again.', {
    retryAfterMs: 1000,
  });
