import express from 'express';
import { forwarder, serveBare, upstreamArgument } from './proxy-node.ts';

/** The bare Node proxy behind one Express route; no middleware, nothing parsed. */
const app = express();
app.disable('x-powered-by');
app.disable('etag');
app.set('query parser', false);
app.post('/v1/chat/completions', forwarder(upstreamArgument(process.argv)));
serveBare('bare Express proxy', app);
