/** An answer cut into the deltas of a stream: role, search status, reasoning, content, tool calls, in this order. */

import type { Kernel } from '../kernel/types.ts';
import type { Answer, ToolCallOut } from './answer.ts';
import type { Wishes } from './faults.ts';
import type { ChatModel } from './models.ts';

export interface Step {
  readonly delta: Readonly<Record<string, unknown>>;
  /** Carries visible text, reasoning or tool arguments. */
  readonly content: boolean;
  /** The text in it, for cumulative token counts. */
  readonly text: string;
  readonly tag: 'search_status' | null;
  /** True from the frame in which moderation struck. */
  readonly struck: boolean;
}

export function steps(answer: Answer, model: ChatModel, wishes: Wishes, kernel: Kernel): readonly Step[] {
  const list: Step[] = [];
  // Baidu's mock server never sends a role.
  if (wishes.variant !== 'B') list.push(step({ role: 'assistant', content: '' }, '', false));
  if (answer.searchStatus) list.push({ ...step({ content: '' }, '', false), tag: 'search_status' });
  for (const piece of kernel.pieces(answer.reasoning)) list.push(step({ reasoning_content: piece }, piece));
  const pieces = isSmall(model) ? sentences(kernel.pieces(answer.content)) : kernel.pieces(answer.content);
  const struckAt = answer.safety && answer.replacement === null ? Math.floor(pieces.length / 2) : Number.POSITIVE_INFINITY;
  for (const [index, piece] of pieces.entries()) list.push({ ...step({ content: piece }, piece), struck: index >= struckAt });
  if (answer.replacement !== null) {
    list.push({ ...step({ content: answer.replacement }, answer.replacement, answer.replacement !== ''), struck: true });
  }
  for (const [index, call] of answer.toolCalls.entries()) list.push(...toolSteps(call, index, wishes, kernel));
  // An answer that ran out of tokens while thinking still closes with an empty content frame.
  const last = list[list.length - 1];
  if (!last || (!('tool_calls' in last.delta) && !answer.content && answer.replacement === null))
    list.push(step({ content: '' }, '', false));
  return list;
}

function step(delta: Step['delta'], text: string, content = true): Step {
  return { delta, content, text, tag: null, struck: false };
}

/** Whole: one frame a call. Split: a frame with the name, then the arguments piece by piece. */
function toolSteps(call: ToolCallOut, index: number, wishes: Wishes, kernel: Kernel): readonly Step[] {
  const place = wishes.toolIndex ? { index } : {};
  const first = (text: string) => ({ ...place, id: call.id, type: 'function', function: { name: call.name, arguments: text } });
  if (wishes.toolArgs === 'whole') return [step({ content: '', tool_calls: [first(call.arguments)] }, call.arguments)];
  // Without an index, only a repeated id tells which call a fragment belongs to.
  const mark = wishes.toolIndex ? { index } : { id: call.id };
  const fragments = kernel
    .pieces(call.arguments)
    .map((piece) => step({ tool_calls: [{ ...mark, function: { arguments: piece } }] }, piece));
  return [step({ content: '', tool_calls: [first('')] }, '', true), ...fragments];
}

/** Small and old models send sentences rather than tokens. */
function isSmall(model: ChatModel): boolean {
  return model.retired || /^ernie-(char|novel|speed|lite|tiny)/.test(model.id);
}

function sentences(pieces: readonly string[]): readonly string[] {
  const groups: string[] = [];
  let open = '';
  for (const piece of pieces) {
    open += piece;
    if (!/[.!?。！？\n]\s*$/.test(open)) continue;
    groups.push(open);
    open = '';
  }
  return open === '' ? groups : [...groups, open];
}
