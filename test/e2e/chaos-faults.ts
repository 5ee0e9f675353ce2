import type { ChaosNode, ChaosPlace } from './chaos-place.ts';

interface Fault {
  /** @param during resolves when it has lasted long enough */
  run(place: ChaosPlace, node: ChaosNode, during: () => Promise<void>, random: () => number): Promise<void>;
  /** Redis forgets all: it comes alone, and what Redis knows is heard before. */
  readonly empties?: true;
}
const mode =
  (name: 'refuse' | 'hold' | 'mute', cut: boolean): Fault['run'] =>
  async (_, { proxy }, during) => {
    proxy.set(name);
    await during();
    if (cut) proxy.cut();
    proxy.set('pass');
  };
/** What can go wrong, and heals. */
export const FAULTS: Readonly<Record<string, Fault>> = {
  'redis stands still': {
    run: async ({ redis }, _, during) => {
      redis().process.kill('SIGSTOP');
      await during();
      redis().process.kill('SIGCONT');
    },
  },
  'redis is killed and comes back empty': { empties: true, run: async (place, _, during) => place.emptyRedis(during) },
  'scripts are gone': { run: async ({ redis }) => void (await redis().connect().script('FLUSH')) },
  'redis drops its clients': { run: async ({ redis }) => void (await redis().connect().call('CLIENT', 'KILL', 'TYPE', 'normal')) },
  'redis is full': {
    run: async ({ redis }, _, during) => {
      const client = redis().connect();
      await client.config('SET', 'maxmemory', '1');
      await during();
      await client.config('SET', 'maxmemory', '0');
    },
  },
  'a node is cut off': { run: mode('refuse', false) },
  'packets of a node are held back': { run: mode('hold', false) },
  'packets of a node are lost': { run: mode('hold', true) },
  'answers to a node are late': { run: mode('mute', false) },
  'answers to a node are lost': { run: mode('mute', true) },
  'an answer to a node is torn': { run: async (_, { proxy }, __, random) => proxy.tearAfter(Math.floor(random() * 400)) },
  'a vendor is silent': {
    run: async ({ simulator }, _, during, random) => {
      simulator.setFault({ name: 'silent', args: {}, vendor: random() < 0.5 ? 'qwen' : 'glm' });
      await during();
      simulator.clearFaults();
    },
  },
  'limits change': { run: async (place, _, __, random) => place.change(random() < 0.5, null) },
  'a backend goes': {
    run: async (place, _, during) => {
      await place.change(false, 'ernie');
      await during();
      await place.change(true, null);
    },
  },
  'a node is restarted': { run: async (place, node) => place.restart(node) },
};
