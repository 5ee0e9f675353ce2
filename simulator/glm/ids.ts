/**
 * GLM's ids: 30 characters = Beijing time of arrival `YYYYMMDDhhmmss` + 16 lower-case hex digits (GLM 2.7);
 * tool ids are a signed 64-bit integer in whole answers and 24 hex digits in streams.
 */
import type { Incoming, Kernel } from '../kernel/types.ts';

const BEIJING_OFFSET_MS = 8 * 3_600_000;

/** Id of an answer; also its `request_id` when the caller sent none. */
export function answerId(incoming: Incoming, kernel: Kernel): string {
  const digits = beijingClock(incoming.nowMs).replace(/\D/g, '');
  return digits + kernel.hex(incoming, 'glm-id', 16);
}

/** `2026-09-01 10:15:30` at UTC+8. */
export function beijingClock(ms: number): string {
  return new Date(ms + BEIJING_OFFSET_MS).toISOString().slice(0, 19).replace('T', ' ');
}

/** Tool id of a whole answer: negative, and parallel calls count upward (GLM 2.7). */
export function wholeToolId(incoming: Incoming, kernel: Kernel, index: number): string {
  // 15 hex digits stay below 2^60, so the sum stays inside a signed 64-bit integer.
  const base = -7_000_000_000_000_000_000n - BigInt(`0x${kernel.hex(incoming, 'glm-tool', 15)}`);
  return `call_${base + BigInt(index)}`;
}

/** Tool id of a stream: `call_` and 24 hex digits. */
export function streamToolId(incoming: Incoming, kernel: Kernel, index: number): string {
  return `call_${kernel.hex(incoming, `glm-tool-${index}`, 24)}`;
}
