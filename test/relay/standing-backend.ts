import { type Backend, DONE, finishFrame, httpChunk, roleFrame, SSE_HEAD, scripted, textFrame } from './backends.ts';

export interface StandingBackend extends Backend {
  /** Lets every stream that stands, or the first so many, go on to its end: `lo`, the finish, `[DONE]`. */
  finish(most?: number): void;
}

/** Answers each request by a stream that stands after its first piece, `Hel`. */
/** Its connections are kept for longer than any test waits. */
const HEAD = SSE_HEAD.replace('\r\n\r\n', '\r\nconnection: keep-alive\r\nkeep-alive: timeout=60\r\n\r\n');

export async function standingBackend(): Promise<StandingBackend> {
  const rests: (() => void)[] = [];
  const backend = await scripted((socket) => {
    socket.write(HEAD + httpChunk(roleFrame + textFrame('Hel')));
    rests.push(() => void socket.write([textFrame('lo'), finishFrame(), DONE, ''].map(httpChunk).join('')));
  });
  const finish = (most = rests.length): void => {
    for (const rest of rests.splice(0, most)) rest();
  };
  return Object.assign(backend, { finish });
}
