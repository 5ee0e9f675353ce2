import { join } from 'node:path';
import { type Simulator, startSimulator } from '../../simulator/simulator.ts';
import { type RedisServer, startRedis } from '../relay/quota/redis-server.ts';
import { cleanUp, estafet, folder } from '../server/process.ts';
import { type Booked, booked } from './booked.ts';
import { type Teams, written } from './redis-rig.ts';
import { type RelayNode, startNode } from './relay-node.ts';

/** Relays in processes of their own, in front of one simulator, on one Redis and one SQLite file. */
export interface NodesPlace {
  readonly simulator: Simulator;
  readonly redis: RedisServer;
  /** One more of them. */
  node(): Promise<RelayNode>;
  booked(): Promise<Booked>;
  /** Tokens of all answers, as the vendor counted them. */
  served(): number;
  /** Exit code and output of `estafet audit`. */
  audit(listen: string): Promise<readonly [code: number | string, said: string]>;
  close(): Promise<void>;
}

interface PlaceOptions {
  /** A minute, as in service, unless told. */
  readonly leaseMs?: number;
  readonly server?: Readonly<Record<string, unknown>>;
}

export async function nodesPlace(teams: Teams, { leaseMs, server: more }: PlaceOptions = {}): Promise<NodesPlace> {
  const [simulator, redis] = await Promise.all([startSimulator(), startRedis()]);
  const { server, ...config } = JSON.parse(written(simulator, redis.port, teams)) as { server: object };
  const file = JSON.stringify({ ...config, server: { ...server, ...more }, database: 'sqlite:books.db' });
  const cwd = folder({ 'estafet.yaml': file });
  const env = { SIMULATED: simulator.vendors['qwen']?.key ?? '' };
  const nodes: RelayNode[] = [];
  return {
    simulator,
    redis,
    node: async () => {
      const node = await startNode({ file: 'estafet.yaml', cwd, env, ...(leaseMs === undefined ? {} : { leaseMs }) });
      nodes.push(node);
      return node;
    },
    booked: () => booked(`sqlite:${join(cwd, 'books.db')}`),
    served: () => simulator.usage().reduce((sum, { completionTokens }) => sum + completionTokens, 0),
    audit: async (listen) => {
      const run = estafet(['audit', '--listen', listen], env, cwd);
      return [await run.exit, run.stdout + run.stderr];
    },
    close: async () => {
      // Those that have ended say so again.
      for (const node of nodes) await node.end('SIGKILL');
      await cleanUp();
      await simulator.close();
      await redis.stop();
    },
  };
}
