import type { ChildProcess } from 'node:child_process';

/** What Node's primary hands over with a connection, and what the worker answers: messages of `node:cluster` itself. */
interface ClusterMessage {
  readonly cmd?: string;
  readonly act?: string;
  readonly seq?: number;
  readonly ack?: number;
}

interface Handle {
  close(): void;
}

/**
 * Closes connections that a worker was handed and has not taken when it ends. Node keeps its own hold on each until the worker says that it
 * has it, and of a dead one nobody says so: the caller would wait without end. Nor does Node then say that the channel is gone, so that the
 * port would stay open for the dead one after all others have closed it.
 */
export function closeUntaken(child: ChildProcess): void {
  const untaken = new Map<number, Handle>();
  let disconnected = false;
  const send = child.send.bind(child) as (...sent: unknown[]) => boolean;
  child.send = (...sent: unknown[]): boolean => {
    const [message, handle] = sent as [ClusterMessage, Handle | undefined];
    if (message.cmd === 'NODE_CLUSTER' && message.act === 'newconn' && message.seq !== undefined && handle !== undefined) {
      untaken.set(message.seq, handle);
    }
    return send(...sent);
  };
  child.on('internalMessage', ({ cmd, ack }: ClusterMessage) => {
    if (cmd === 'NODE_CLUSTER' && ack !== undefined) untaken.delete(ack);
  });
  child.once('disconnect', () => {
    disconnected = true;
  });
  // Not at its exit: what it has said may still be on its way then.
  child.once('close', () => {
    for (const handle of untaken.values()) handle.close();
    untaken.clear();
    if (!disconnected) child.emit('disconnect');
  });
}
