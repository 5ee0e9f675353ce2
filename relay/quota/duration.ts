/**
 * A duration as OpenAI writes it in `x-ratelimit-reset-*`: Go's form, cut to whole milliseconds. `0s`, `6ms`, `1.182s`, `1m0s`, `2m7.93s`,
 * `24h6m34s`.
 */
export function goDuration(ms: number): string {
  const whole = Math.max(0, Math.floor(ms));
  if (whole === 0) return '0s';
  if (whole < 1000) return `${whole}ms`;
  const hours = Math.floor(whole / 3_600_000);
  const minutes = Math.floor(whole / 60_000) % 60;
  const seconds = `${(whole % 60_000) / 1000}s`;
  if (hours > 0) return `${hours}h${minutes}m${seconds}`;
  return minutes > 0 ? `${minutes}m${seconds}` : seconds;
}
