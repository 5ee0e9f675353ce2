import { vi } from 'vitest';
import type { Stopped, WorkerCalls } from '../../../server/workers/calls.ts';
import { Channel } from '../../../server/workers/channel.ts';
import { Supervisor, type Worker } from '../../../server/workers/supervisor.ts';

export interface Fake extends Worker {
  end(how: string): void;
  /** Closes its output. */
  fallSilent(): void;
  /** What was done to it. */
  readonly done: string[];
}

/** Workers that do as they are told; `start` and `stop` may be replaced. */
export function supervised(count: number) {
  const workers: Fake[] = [];
  const told: string[] = [];
  const how = {
    start: async (worker: Worker): Promise<string> => `http://${worker.number}`,
    stop: async (): Promise<Stopped> => ({ clean: true, metrics: [] }),
    /** What it has written is not all here when its last word is. */
    talks: false,
    /** Its process does not end when it may. */
    stays: false,
  };
  const supervisor = new Supervisor({
    count,
    fork: (number) => {
      const { promise: ended, resolve } = Promise.withResolvers<string>();
      const { promise: silent, resolve: fallSilent } = Promise.withResolvers<void>();
      void ended.then(() => fallSilent());
      const done: string[] = [];
      const answers = new Channel<Record<never, never>>((message) => channel.receive(message), {
        stop: async () => {
          const said = await how.stop();
          if (!how.talks) fallSilent();
          return said;
        },
      });
      const channel: Channel<WorkerCalls> = new Channel((message) => answers.receive(message), {});
      const worker: Fake = {
        number,
        pid: workers.length + 100,
        channel,
        silent,
        ended,
        done,
        end: resolve,
        fallSilent,
        kill: () => {
          done.push('kill');
          resolve('SIGKILL');
        },
        release: () => {
          done.push('release');
          if (!how.stays) resolve('exit code 0');
        },
      };
      workers.push(worker);
      return worker;
    },
    start: (worker) => how.start(worker),
    report: (event) =>
      told.push(`${event.type} ${event.worker}${'againInMs' in event ? ` ${event.how}, again in ${event.againInMs}` : ''}`),
    onEnd: ({ number }) => told.push(`gone ${number}`),
    onStopped: () => {},
    now: () => Date.now(),
  });
  const nothing = async (): Promise<void> => {};
  const since = (): string[] => told.splice(0);
  return { supervisor, workers, how, since, open: (between = nothing) => supervisor.open(between, 5_000) };
}
export const turn = (ms = 0) => vi.advanceTimersByTimeAsync(ms);
