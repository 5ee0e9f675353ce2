/** Shorter parts of a key are words that messages may contain by chance. */
const MIN_PART = 9;

/**
 * Makes a text free of secrets: each whole one, and each part of it between dots and slashes that is longer than 8 characters, becomes
 * `***`. A text that was cut in the middle of one loses the beginning of it too.
 * @param secrets as they were sent, e.g. `id.secret`; empty ones are none
 */
export function redactor(secrets: readonly string[]): (text: string) => string {
  const parts = secrets.flatMap((secret) => secret.split(/[./]/).filter((part) => part.length >= MIN_PART));
  const hidden = [...new Set([...secrets, ...parts])].filter((secret) => secret !== '').sort((a, b) => b.length - a.length);
  return (text) => {
    let clean = withoutCutSecret(text, hidden);
    for (const secret of hidden) clean = clean.replaceAll(secret, '***');
    return clean;
  };
}

/** Error messages are bounded, and end in `…` where they were cut. */
function withoutCutSecret(text: string, hidden: readonly string[]): string {
  if (!text.endsWith('…')) return text;
  const kept = text.slice(0, -1);
  for (const secret of hidden) {
    for (let length = secret.length - 1; length >= MIN_PART; length--) {
      if (kept.endsWith(secret.slice(0, length))) return `${kept.slice(0, -length)}***…`;
    }
  }
  return text;
}
