import { FileWatch } from '../server/reload/file-watch.ts';
import { Reloader } from '../server/reload/reloader.ts';
import type { Serving } from '../server/serving.ts';
import { logReload } from '../server/telemetry/reload-log.ts';
import { load } from './load.ts';
import { overridden } from './overrides.ts';
import type { ServeOptions } from './serve-options.ts';

export interface LiveReload {
  readonly file: string;
  /** Those read so far: the configuration and its secrets. */
  readonly files: ReadonlySet<string>;
  readonly options: ServeOptions;
  readonly serving: Pick<Serving, 'apply' | 'logger' | 'reloaded' | 'server'>;
}

/** Applies the file again on SIGHUP, and when it or one of its secret files changes. */
export async function liveReload({ file, files: first, options, serving }: LiveReload): Promise<void> {
  let files = first;
  const reloader = new Reloader({
    load: () => {
      const read = new Set<string>();
      const result = load(file, (path) => read.add(path));
      // A file with a problem may not have named all of its secrets.
      files = result.ok ? read : new Set([...files, ...read]);
      return result;
    },
    apply: async (config) => {
      const settled = overridden(config, options, process.env);
      if (settled === null) throw new Error('an environment variable is no use');
      return serving.apply(settled);
    },
    report: (reloaded) => {
      logReload(serving.logger, reloaded);
      serving.reloaded(reloaded.outcome);
    },
  });
  process.on('SIGHUP', () => void reloader.reload('signal'));
  if (!serving.server().watchFiles) return;
  await new FileWatch({ files: () => files, onChange: () => void reloader.reload('file') }).start();
}
