import type { Backend } from '../../../config/config.ts';
import { Secret } from '../../../config/secret.ts';
import { type ErrorDetails, type ErrorName, OpenAIError } from '../../../openai/errors.ts';
import { BackendHealth } from '../../../relay/routing/backend-health.ts';
import type { BreakerEvent } from '../../../relay/routing/breaker-event.ts';
import { Pass } from '../../../relay/routing/pass.ts';

export const BREAKER = { failures: 3, windowMs: 10_000, openMs: 5_000 };

/** Health with a clock of its own, and what it told. */
export function desk(breaker: Backend['breaker'] = BREAKER, keys = ['k']) {
  let now = 0;
  const events: BreakerEvent[] = [];
  const health = new BackendHealth({ now: () => now, random: () => 0, onChange: (event) => void events.push(event) });
  /** Of one process: nobody else has to be asked. */
  const entered = (...place: Parameters<BackendHealth['enter']>): Pass | OpenAIError => {
    const pass = health.enter(...place);
    if (pass instanceof Promise) throw new Error('it waits');
    return pass;
  };
  const secrets = keys.map((key) => new Secret(key));
  const backend = { name: 'b', region: 'here', baseUrl: 'http://here', breaker, apiKeys: secrets } as unknown as Backend;
  const place = (model: string) => ({ backend, model });
  const enter = (model = 'm'): Pass => {
    const pass = entered(place(model));
    if (pass instanceof Pass) return pass;
    throw pass;
  };
  const barred = (model = 'm'): OpenAIError => {
    const pass = entered(place(model));
    if (pass instanceof Pass) throw new Error('it may be asked');
    return pass;
  };
  return {
    health,
    entered,
    backend,
    place,
    events,
    enter,
    barred,
    wait: (ms: number) => {
      now += ms;
    },
    fail: (kind: ErrorName, details: ErrorDetails = {}, model = 'm') => enter(model).failed(error(kind, details)),
    told: () => events.map(({ state, cause }) => `${cause} ${state}`),
  };
}

export const error = (kind: ErrorName, details: ErrorDetails = {}): OpenAIError =>
  new OpenAIError(kind, 'w', { fallback: true, ...details });
