import express from 'express';
import { Redis } from 'ioredis';
import { forwarder, serveBare, upstreamArgument } from './proxy-node.ts';

/**
 * The bare Express proxy with the least that shared limits can cost: one EVALSHA before the request goes on, and one once it is answered.
 * Each script is a single command.
 *
 *   proxy-express-redis.ts URL_OF_THE_CHAT_ENDPOINT REDIS_PORT
 */
const redis = new Redis({ host: '127.0.0.1', port: Number(process.argv[3]), enableAutoPipelining: true });
const take = (await redis.script('LOAD', "return redis.call('INCRBY', KEYS[1], ARGV[1])")) as string;
const giveBack = (await redis.script('LOAD', "return redis.call('DECRBY', KEYS[1], ARGV[1])")) as string;

const forward = forwarder(upstreamArgument(process.argv));
const app = express();
app.disable('x-powered-by');
app.disable('etag');
app.set('query parser', false);
app.post('/v1/chat/completions', async (request, response) => {
  await redis.evalsha(take, 1, 'bench', 1);
  response.on('close', () => void redis.evalsha(giveBack, 1, 'bench', 1));
  forward(request, response);
});
serveBare('bare Express proxy with two EVALSHA', app);
