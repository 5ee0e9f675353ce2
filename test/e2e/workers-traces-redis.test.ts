import { afterEach, beforeEach, expect, test } from 'vitest';
import { cleanUp } from '../server/process.ts';
import { type Collector, KIND, startCollector } from '../server/telemetry/tracing/collector.ts';
import { chat, fileOf, type Place, place, serve } from './workers-rig.ts';

let here: Place;
let collector: Collector;
beforeEach(async () => {
  [here, collector] = await Promise.all([place(), startCollector()]);
});
afterEach(async () => {
  await cleanUp();
  await Promise.all([here.close(), collector.close()]);
});

test('each worker is a resource of its own, with its number; what waits at the end is sent', async () => {
  const { run, url, log } = await serve(here, fileOf(here, { a: {} }), undefined, { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url });
  for (let call = 0; call < 4; call++) expect((await chat(url, 'a')).status).toBe(200);
  run.child.kill('SIGTERM');
  expect(await run.exit).toBe(0);
  expect(collector.spans.filter(({ kind }) => kind === KIND.server)).toHaveLength(4);
  const served = new Set(log().flatMap((line) => (line['msg'] === 'request' ? [line['worker']] : [])));
  expect(served).toEqual(new Set([1, 2]));
  expect(new Set(collector.resources.map((resource) => Number(resource['estafet.worker'])))).toEqual(served);
  const ids = collector.resources.map((resource) => `${resource['estafet.worker']} ${resource['service.instance.id']}`);
  expect(new Set(ids).size).toBe(2);
  for (const id of ids) expect(id).toMatch(/^[12] [0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
});
