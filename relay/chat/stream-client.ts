/** The caller's end of a stream, as the relay sees it. The route implements it on the HTTP response. */
export interface StreamClient {
  /** Sends the status and headers; called once, before the first `write`. */
  start(): void;
  /** False when the caller does not read fast enough: the vendor is held back until `onceDrained` calls. */
  write(text: string): boolean;
  onceDrained(resume: () => void): void;
  /** Writes the last text and ends. */
  end(text: string): void;
}
