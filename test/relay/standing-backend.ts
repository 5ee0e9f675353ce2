import { type Backend, DONE, finishFrame, httpChunk, roleFrame, SSE_HEAD, scripted, textFrame } from './backends.ts';

export interface StandingBackend extends Backend {
  /** Lets every stream that stands go on to its end: `lo`, the finish, `[DONE]`. */
  finish(): void;
}

/** Answers each request by a stream that stands after its first piece, `Hel`. */
export async function standingBackend(): Promise<StandingBackend> {
  const rests: (() => void)[] = [];
  const backend = await scripted((socket) => {
    socket.write(SSE_HEAD + httpChunk(roleFrame + textFrame('Hel')));
    rests.push(() => void socket.write([textFrame('lo'), finishFrame(), DONE, ''].map(httpChunk).join('')));
  });
  const finish = (): void => {
    for (const rest of rests.splice(0)) rest();
  };
  return Object.assign(backend, { finish });
}
