/** Fault names all vendors share. Wire faults are the kernel's work; said faults are answered by each vendor. */

const WIRE_FAULTS = [
  'slow',
  'stall',
  'silent',
  'cut',
  'reset',
  'garbage',
  'half-frame',
  'end',
  'no-done',
  'split',
  'crlf',
  'no-space',
  'comments',
  'gzip',
  'html',
] as const;

export const SAID_FAULTS = [
  'rate-limit',
  'arrears',
  'moderation',
  'overload',
  'dead-key',
  'retired',
  'internal',
  'timeout',
  'context-length',
  'mid-error',
  'code',
  'error-200',
] as const;

/** Directives to the model, not faults: a prompt's faults are all its other directives. */
export const MODEL_DIRECTIVES: ReadonlySet<string> = new Set(['say', 'echo', 'tokens', 'think', 'call', 'leak-call', 'nojson', 'fence']);

export const COMMON_FAULTS: ReadonlySet<string> = new Set([...WIRE_FAULTS, ...SAID_FAULTS]);
