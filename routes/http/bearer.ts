import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/** The request shows this token as `Authorization: Bearer`. Takes as long for every wrong one. */
export function bears(token: string, { headers }: Pick<IncomingMessage, 'headers'>): boolean {
  const shown = /^Bearer (\S+)$/i.exec(headers.authorization ?? '')?.[1] ?? '';
  return timingSafeEqual(sha256(shown), sha256(token));
}

const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest();
