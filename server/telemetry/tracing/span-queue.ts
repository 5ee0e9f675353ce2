import type { SpanExporter } from '@opentelemetry/sdk-trace';
import type { QueueSettings } from './trace-settings.ts';

/** OpenTelemetry's type of a span that has ended. */
export type Span = Parameters<SpanExporter['export']>[0][number];

/** `lost`: the collector does not take spans any more · `back`: it does again; with all that were lost since the start. */
export type CollectorEvent = { readonly kind: 'lost'; readonly error: string } | { readonly kind: 'back'; readonly lost: number };

export interface SpanCounts {
  readonly sent: number;
  readonly lost: number;
  readonly waiting: number;
}

const MAX_SHOWN = 200;

/**
 * Spans on their way to the collector: bounded, in batches, one at a time. Whatever becomes of the collector, requests do not notice: spans
 * beyond the bound, and those of a batch that failed for good, are lost and counted. Told once when it fails and once when it is back.
 */
export class SpanQueue {
  readonly #exporter: SpanExporter;
  readonly #settings: QueueSettings;
  readonly #report: (event: CollectorEvent) => void;
  #waiting: Span[] = [];
  #timer: NodeJS.Timeout | null = null;
  #sending: Promise<void> | null = null;
  #failing = false;
  #sent = 0;
  #lost = 0;

  constructor(exporter: SpanExporter, settings: QueueSettings, report: (event: CollectorEvent) => void) {
    this.#exporter = exporter;
    this.#settings = settings;
    this.#report = report;
  }

  get counts(): SpanCounts {
    return { sent: this.#sent, lost: this.#lost, waiting: this.#waiting.length };
  }

  add(span: Span): void {
    if (this.#waiting.length >= this.#settings.max) {
      this.#lose(1, 'more spans wait than OTEL_BSP_MAX_QUEUE_SIZE allows');
      return;
    }
    this.#waiting.push(span);
    if (this.#waiting.length >= this.#settings.batch) this.#send();
    else this.#timer ??= setTimeout(() => this.#send(), this.#settings.delayMs).unref();
  }

  /** Sends what waits, for at most so long; the rest is lost. */
  async close(withinMs: number): Promise<void> {
    const timeUp = Promise.withResolvers<void>();
    const timer = setTimeout(timeUp.resolve, withinMs);
    await Promise.race([this.#drain(), timeUp.promise]);
    clearTimeout(timer);
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#waiting.length > 0) this.#lose(this.#waiting.length, 'the relay has stopped before they were sent');
    this.#waiting = [];
  }

  async #drain(): Promise<void> {
    while (this.#waiting.length > 0 || this.#sending !== null) {
      this.#send();
      await this.#sending;
    }
  }

  #send(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#sending !== null || this.#waiting.length === 0) return;
    const batch = this.#waiting.splice(0, this.#settings.batch);
    this.#sending = this.#export(batch).finally(() => {
      this.#sending = null;
      if (this.#waiting.length >= this.#settings.batch) this.#send();
      else if (this.#waiting.length > 0) this.#timer ??= setTimeout(() => this.#send(), this.#settings.delayMs).unref();
    });
  }

  #export(batch: Span[]): Promise<void> {
    return new Promise((resolve) => {
      const failed = (error: unknown): void => {
        this.#lose(batch.length, textOf(error));
        resolve();
      };
      try {
        this.#exporter.export(batch, ({ code, error }) => {
          if (code !== SUCCESS) return failed(error);
          this.#sent += batch.length;
          if (this.#failing) this.#report({ kind: 'back', lost: this.#lost });
          this.#failing = false;
          resolve();
        });
      } catch (error) {
        failed(error);
      }
    });
  }

  #lose(count: number, error: string): void {
    this.#lost += count;
    if (!this.#failing) this.#report({ kind: 'lost', error });
    this.#failing = true;
  }
}

/** `ExportResultCode.SUCCESS`, which only a package that is not ours to import has. */
const SUCCESS = 0;

/** Foreign text: bounded, on one line. The code is what tells a closed port from a wrong name. */
function textOf(error: unknown): string {
  const { code, message } = error instanceof Error ? (error as Error & { readonly code?: unknown }) : { code: undefined, message: '' };
  const text = [code, message].filter((part) => part !== undefined && part !== '').join(' ');
  return (text === '' ? 'the collector refused the spans' : text).slice(0, MAX_SHOWN).replace(/\p{Cc}/gu, ' ');
}
