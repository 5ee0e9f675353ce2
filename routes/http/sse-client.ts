import type { ServerResponse } from 'node:http';
import type { StreamClient } from '../../relay/chat/stream-client.ts';
import { standardHeaders } from './reply.ts';

/** The caller's end of a stream on an HTTP response. The status leaves with the first bytes: until then a failure keeps its own. */
export class SseClient implements StreamClient {
  readonly #response: ServerResponse;

  constructor(response: ServerResponse) {
    this.#response = response;
  }

  start(): void {
    this.#response.writeHead(200, [
      ...standardHeaders(this.#response, 'text/event-stream; charset=utf-8'),
      'cache-control',
      'no-cache',
      // nginx would hold the stream back otherwise.
      'x-accel-buffering',
      'no',
    ]);
  }

  write(text: string): boolean {
    return this.#response.write(text);
  }

  onceDrained(resume: () => void): void {
    this.#response.once('drain', resume);
  }

  end(text: string): void {
    this.#response.end(text);
  }
}
