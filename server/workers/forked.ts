import type { ChildProcess } from 'node:child_process';
import cluster from 'node:cluster';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { PrimaryCalls, WorkerCalls } from './calls.ts';
import { Channel } from './channel.ts';
import { LineForwarder } from './line-forwarder.ts';
import type { Worker } from './supervisor.ts';
import { closeUntaken } from './untaken-connections.ts';

/** Connections go to workers in turn: left to the system, most of them end up with a few. */
export function setUpForks(script: URL): void {
  cluster.schedulingPolicy = cluster.SCHED_RR;
  cluster.setupPrimary({ exec: fileURLToPath(script), args: [], stdio: ['ignore', 'pipe', 'inherit', 'ipc'] });
}

/**
 * A process that runs the script and shares the port.
 * @param write takes what it prints, whole lines
 * @param mine what it may ask
 */
export function forkWorker(number: number, write: (lines: string) => void, mine: (self: Worker) => PrimaryCalls): Worker {
  const forked = cluster.fork();
  const { process: child } = forked;
  // A process that could not be made ends, too.
  forked.on('error', () => {});
  closeUntaken(child);
  const lines = new LineForwarder(write);
  child.stdout?.on('data', (piece: Buffer) => lines.push(piece));
  child.stdout?.on('end', () => lines.end());
  const self: Worker = {
    number,
    pid: child.pid ?? 0,
    channel: new Channel<WorkerCalls>(
      (message) => void forked.send(message, () => {}),
      asked(() => mine(self)),
    ),
    silent: silenceOf(child),
    ended: endOf(child),
    kill: () => void child.kill('SIGKILL'),
    release: () => {
      if (child.connected) child.disconnect();
    },
  };
  forked.on('message', (message) => self.channel.receive(message));
  return self;
}

async function silenceOf({ stdout }: ChildProcess): Promise<void> {
  if (stdout !== null) await once(stdout, 'close');
}

/** Once all it has written is here, too. Node's own `close` does not come where this side has closed the channel. */
async function endOf(child: ChildProcess): Promise<string> {
  try {
    const [[code, signal]] = await Promise.all([once(child, 'exit'), child.stdout && once(child.stdout, 'close')]);
    return signal ?? `exit code ${code}`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** The calls of a worker that does not exist yet when its channel is made. */
function asked(calls: () => PrimaryCalls): PrimaryCalls {
  return { metrics: () => calls().metrics(null), find: (wanted) => calls().find(wanted), leave: () => calls().leave(null) };
}
