import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../free-port.ts';
import { prometheus } from '../services.ts';

export interface PrometheusServer {
  /** `data` of an answer of its API. @throws Error with its words */
  ask<T>(path: string, parameters?: Readonly<Record<string, string>>): Promise<T>;
  stop(): Promise<void>;
}

/** A Prometheus on 127.0.0.1 with this configuration, once it answers. */
export async function startPrometheus(config: string): Promise<PrometheusServer> {
  const folder = mkdtempSync(join(tmpdir(), 'estafet-prometheus-'));
  const port = await freePort();
  writeFileSync(join(folder, 'prometheus.yml'), config);
  const options = [
    `--config.file=${folder}/prometheus.yml`,
    `--storage.tsdb.path=${folder}/data`,
    `--web.listen-address=127.0.0.1:${port}`,
  ];
  const child = spawn(prometheus()?.server ?? '', options, { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const exited = once(child, 'exit');
  while ((await fetch(`http://127.0.0.1:${port}/-/ready`).catch(() => null))?.ok !== true) {
    if (child.exitCode !== null) throw new Error(said);
    await sleep(50);
  }
  return {
    ask: async <T>(path: string, parameters: Readonly<Record<string, string>> = {}) => {
      const answer = await fetch(`http://127.0.0.1:${port}/api/v1/${path}?${new URLSearchParams(parameters)}`);
      const body = (await answer.json()) as { readonly data: T; readonly error?: string };
      if (body.error !== undefined) throw new Error(body.error);
      return body.data;
    },
    stop: async () => {
      child.kill('SIGKILL');
      await exited;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
