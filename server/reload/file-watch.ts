import { stat } from 'node:fs/promises';

export interface FileWatchOptions {
  /** The files to look at; asked each time, since a configuration names others than the one before it. */
  readonly files: () => Iterable<string>;
  readonly onChange: () => void;
  readonly everyMs?: number;
  /** What tells two states of a file apart; null when it is not there. */
  readonly stampOf?: (path: string) => Promise<string | null>;
}

const EVERY_MS = 1_000;

/**
 * Looks at files once a second, and tells a change once they have stayed the same from one look to the next: who writes slowly is not
 * caught in the middle. The system's own notices are not used: they are lost on network disks and where a link is turned to another folder,
 * as Kubernetes does.
 */
export class FileWatch {
  readonly #options: FileWatchOptions;
  readonly #told = new Map<string, string | null>();
  readonly #seen = new Map<string, string | null>();
  #timer: NodeJS.Timeout | null = null;
  #closed = false;

  constructor(options: FileWatchOptions) {
    this.#options = options;
  }

  /** What the files are now is known; resolves when that has been read. */
  async start(): Promise<void> {
    await this.look();
    this.#later();
  }

  close(): void {
    this.#closed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  async look(): Promise<void> {
    const { files, onChange, stampOf = systemStamp } = this.#options;
    let changed = false;
    let restless = false;
    for (const file of new Set(files())) {
      const stamp = await stampOf(file);
      if (this.#seen.has(file) && this.#seen.get(file) !== stamp) restless = true;
      this.#seen.set(file, stamp);
      // A file that is looked at for the first time has just been read.
      if (!this.#told.has(file)) this.#told.set(file, stamp);
      if (this.#told.get(file) !== stamp) changed = true;
    }
    if (!changed || restless || this.#closed) return;
    for (const [file, stamp] of this.#seen) this.#told.set(file, stamp);
    onChange();
  }

  #later(): void {
    if (this.#closed) return;
    this.#timer = setTimeout(() => void this.look().then(() => this.#later()), this.#options.everyMs ?? EVERY_MS).unref();
  }
}

async function systemStamp(path: string): Promise<string | null> {
  try {
    const { mtimeNs, size, ino } = await stat(path, { bigint: true });
    return `${mtimeNs} ${size} ${ino}`;
  } catch {
    // Whatever keeps it from being seen keeps it from being read: the reload says what.
    return null;
  }
}
