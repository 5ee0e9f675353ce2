import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort, portOpen } from '../free-port.ts';
import { nginx } from '../services.ts';

export const FRONT = 'deploy/compose/nginx.conf';

export interface NginxServer {
  readonly url: string;
  /** What it wrote about errors so far. */
  faults(): string;
  stop(): Promise<void>;
}

/**
 * An nginx on 127.0.0.1 with the configuration of the compose project, the names of whose network are these ports of this machine.
 * Addresses need no `resolve`, which only nginx 1.27.3 and newer have.
 */
export async function startNginx(relays: Readonly<Record<string, number>>): Promise<NginxServer> {
  const folder = mkdtempSync(join(tmpdir(), 'estafet-nginx-'));
  const port = await freePort();
  let site = readFileSync(FRONT, 'utf8')
    .replace('listen 8080;', `listen 127.0.0.1:${port};`)
    .replace(/^resolver .*$/m, '')
    .replaceAll(' resolve ', ' ');
  for (const [name, to] of Object.entries(relays)) site = site.replace(`${name}:8080`, `127.0.0.1:${to}`);
  writeFileSync(join(folder, 'site.conf'), site);
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${folder}/${name};`).join(' ');
  writeFileSync(
    join(folder, 'nginx.conf'),
    `daemon off; pid ${folder}/pid; worker_processes 1; error_log stderr warn; events {} http { access_log off; ${temporary} include ${folder}/site.conf; }`,
  );
  mkdirSync(join(folder, 'logs'));
  const user = process.getuid?.() === 0 ? ['-g', 'user root;'] : [];
  const child = spawn(nginx() ?? '', ['-p', folder, '-e', 'stderr', '-c', `${folder}/nginx.conf`, ...user], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let faults = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    faults += text;
  });
  const exited = once(child, 'exit');
  while (!(await portOpen(port))) {
    if (child.exitCode !== null) throw new Error(faults);
    await sleep(20);
  }
  return {
    url: `http://127.0.0.1:${port}`,
    faults: () => faults,
    stop: async () => {
      child.kill('SIGTERM');
      await exited;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
