import { writeFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { isMainThread } from 'node:worker_threads';

/** For `--import`: at its end the main thread writes the packages it has loaded to `LOADED`.pid. */
const packages = new Set<string>();
if (isMainThread) {
  registerHooks({
    load: (url, context, next) => {
      const found = /\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url)?.[1];
      if (found !== undefined) packages.add(found);
      return next(url, context);
    },
  });
  process.on('exit', () => writeFileSync(`${process.env['LOADED']}.${process.pid}`, JSON.stringify([...packages])));
}
