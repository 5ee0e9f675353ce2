import type { Accounting, Frame, Incoming, Kernel, Reply } from '../kernel/types.ts';

/** What every answer of the vendor has in common on the wire, whatever the protocol. */

export const NOTHING: Omit<Accounting, 'keyName' | 'model' | 'errorCode'> = {
  stream: false,
  promptTokens: 0,
  completionTokens: 0,
  reasoningTokens: 0,
  cachedTokens: 0,
};

/** The request an answer belongs to. */
export interface Asked {
  readonly requestId: string;
  readonly incoming: Incoming;
  readonly kernel: Kernel;
}

export function whole(status: number, body: unknown, asked: Asked): Reply {
  return { kind: 'whole', status, headers: { ...headersOf(asked), 'content-type': 'application/json' }, body: JSON.stringify(body) };
}

export function streamed(frames: readonly Frame[], asked: Asked, status = 200): Reply {
  const headers = { ...headersOf(asked), 'content-type': 'text/event-stream;charset=UTF-8', 'x-dashscope-finished': 'false' };
  return { kind: 'stream', status, headers, frames };
}

/** Neither `Retry-After` nor rate headers, but a balancer's cookie and inner numbers of the account. */
export function headersOf({ requestId, incoming, kernel }: Asked): Record<string, string> {
  return {
    'x-request-id': requestId,
    'x-dashscope-call-gateway': 'true',
    'x-dashscope-finished': 'true',
    'x-dashscope-timeout': '298',
    'req-cost-time': '12',
    'req-arrive-time': String(incoming.nowMs),
    'resp-start-time': String(incoming.nowMs + 12),
    'x-envoy-upstream-service-time': '11',
    server: 'istio-envoy',
    'set-cookie': `acw_tc=${kernel.hex(incoming, 'acw_tc', 32)};path=/;HttpOnly;Max-Age=1800`,
    'x-dashscope-inner-flow-control-meta': '{"requestLimit":60,"tokenLimit":300000,"periodSeconds":6}',
  };
}
