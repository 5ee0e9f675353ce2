import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { JournalEntry } from './journal.ts';
import type { WirePlan } from './wire-plan.ts';

/**
 * Sends a planned answer. Ends when the answer is out or the client has left; a client that leaves is not an error,
 * it is written to the journal as aborted.
 */
export async function sendPlan(response: ServerResponse, plan: WirePlan, entry: JournalEntry): Promise<void> {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  if (response.destroyed || response.socket === null) gone.abort();
  try {
    await send(response, plan, entry, gone.signal);
  } catch (error) {
    if (!gone.signal.aborted) throw error;
  }
}

async function send(response: ServerResponse, plan: WirePlan, entry: JournalEntry, gone: AbortSignal): Promise<void> {
  const { socket } = response;
  if (plan.start === 'silent') return await leaving(gone);
  await pause(plan.firstByteMs, gone);
  if (gone.aborted || socket === null) return;
  if (plan.start === 'reset') {
    socket.resetAndDestroy();
    return;
  }
  entry.status = plan.status;
  response.writeHead(plan.status, plan.headers);
  if (plan.writes.length > 1 || plan.finish !== 'end') response.flushHeaders();
  for (const [index, bytes] of plan.writes.entries()) {
    if (index > 0) await pause(plan.chunkMs, gone);
    if (gone.aborted) return;
    const room = response.write(bytes);
    entry.bytesSent += bytes.length;
    if (!room) await once(response, 'drain', { signal: gone });
    if (plan.flushEach) await nextTurn();
  }
  if (plan.finish === 'end') {
    response.end();
    return;
  }
  if (plan.finish === 'hold') return await leaving(gone);
  // Everything written so far has to reach the client before the socket dies.
  await new Promise<void>((resolve) => {
    if (socket.writableLength === 0) resolve();
    else socket.write('', () => resolve());
  });
  entry.done = true;
  socket.destroy();
}

function pause(ms: number, gone: AbortSignal): Promise<void> {
  if (ms <= 0 || gone.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const finish = (): void => {
      clearTimeout(timer);
      gone.removeEventListener('abort', finish);
      resolve();
    };
    const timer = setTimeout(finish, ms);
    gone.addEventListener('abort', finish);
  });
}

function leaving(gone: AbortSignal): Promise<void> {
  if (gone.aborted) return Promise.resolve();
  return new Promise((resolve) => gone.addEventListener('abort', () => resolve(), { once: true }));
}
