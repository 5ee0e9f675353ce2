import ipaddr from 'ipaddr.js';
import { OpenAIError } from '../../openai/errors.ts';

/** A text without a backend's secrets. */
export type Redact = (text: string) => string;

/**
 * A backend's failure as callers and the log may see it: vendors quote the key they were sent, and gateways in front of them their own
 * addresses. The key goes everywhere, addresses within private networks from what callers see.
 */
export function redactedFailure(error: OpenAIError, redact: Redact): OpenAIError {
  const { details } = error;
  const message = withoutInnerUrls(redact(error.message));
  const param = details.param === undefined ? undefined : redact(details.param);
  const upstreamCode = details.upstreamCode === undefined ? undefined : redact(details.upstreamCode);
  const cause = redactedCause(details.cause, redact);
  if (message === error.message && param === details.param && upstreamCode === details.upstreamCode && cause === details.cause)
    return error;
  return new OpenAIError(error.kind, message, { ...details, param, upstreamCode, cause });
}

/** What lies behind an error: kept as it is where it holds no secret, else as text. */
function redactedCause(cause: unknown, redact: Redact): unknown {
  const text = causeText(cause);
  const clean = redact(text);
  return clean === text ? cause : clean;
}

/** All that a log could write of it. */
function causeText(cause: unknown): string {
  if (!(cause instanceof Error)) return typeof cause === 'object' ? (JSON.stringify(cause) ?? '') : String(cause);
  const behind = cause.cause === undefined ? '' : `\ncaused by ${causeText(cause.cause)}`;
  return `${cause.name}: ${cause.message}\n${cause.stack ?? ''}${behind}`;
}

/** A scheme alone is a word about addresses. Ends at what ends a sentence too, in Latin or Chinese. */
const URLS = /https?:\/\/(?=[\w[%])(?:[^\s"'`<>()[\]{}，。；：、！（）《》「」【】“”]|\[[0-9a-f:.]+\])+/gi;

function withoutInnerUrls(text: string): string {
  return text.replace(URLS, (url) => (isInner(url) ? '***' : url));
}

/** Loopback, private, link-local and reserved addresses, names that mean something only inside a network, and what cannot be read. */
function isInner(url: string): boolean {
  const host = URL.canParse(url) ? new URL(url).hostname.replace(/^\[|\]$|\.$/g, '') : '';
  if (ipaddr.isValid(host)) return ipaddr.process(host).range() !== 'unicast';
  return !host.includes('.') || /\.(localhost|local|internal|intranet|lan|corp|home|arpa)$/i.test(host);
}
