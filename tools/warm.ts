import { spawn } from 'node:child_process';
import { once } from 'node:events';

/**
 * Starts the built relay once, on the simulator, and ends it: what Node has compiled then lies in .cache/, where every later start finds it.
 * For an image, whose relays can write nothing. Exit code 1 when the relay does not start or does not end as it should.
 */
const relay = spawn(process.execPath, ['dist/cli/cli.js', 'serve', '--host', '127.0.0.1', '--port', '0'], {
  stdio: ['ignore', 'pipe', 'inherit'],
});
// The line with the address comes last, and at once with the rest of the greeting.
relay.stdout.once('data', () => relay.kill('SIGTERM'));
const [code] = await once(relay, 'exit');
process.exitCode = code === 0 ? 0 : 1;
