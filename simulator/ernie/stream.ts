/**
 * The frames of a streamed chat answer, in one of three variants seen from Qianfan:
 * A (default): OpenAI-like; role in the first frame only; finish_reason on the last text frame; usage on its own
 * frame when asked for. B, as Baidu's mock server: `object` without `.chunk`, no role, `is_end` and
 * `need_clear_history` inside the choice, usage on every frame with zero completion tokens until the last.
 * C: as A, but usage on the finishing frame and `flag` only when moderation struck.
 */

import type { Frame } from '../kernel/types.ts';
import { type Answer, safetyFields } from './answer.ts';
import { type Call, createdSeconds } from './call.ts';
import { ERRORS } from './errors.ts';
import type { UsagePlace, Variant, Wishes } from './faults.ts';
import type { ChatModel } from './models.ts';
import type { Parameters } from './parameters.ts';
import { type Step, steps } from './steps.ts';
import { type Usage, usageBody } from './usage.ts';

export function streamFrames(call: Call, model: ChatModel, parameters: Parameters, answer: Answer, usage: Usage): readonly Frame[] {
  const { wishes } = call;
  const usageAt = usagePlaces(wishes, parameters);
  const head = {
    id: call.ids.id,
    object: wishes.object ?? (wishes.variant === 'B' ? 'chat.completion' : 'chat.completion.chunk'),
    created: createdSeconds(call.incoming),
    model: wishes.echo ?? model.echo,
  };
  const list = steps(answer, model, wishes, call.kernel);
  let sent = 0;
  const frames = list.map((step, index): Frame => {
    const last = index === list.length - 1;
    sent += call.kernel.countTokens(step.text);
    const withResults = answer.searchTrace && index === 0;
    const body = {
      ...head,
      choices: [choice(step, last, answer, wishes)],
      ...(withResults ? { search_results: answer.search } : {}),
      ...usageField(usageAt, usage, last, wishes.variant === 'B' ? 0 : sent),
    };
    return { wire: data(body), content: step.content };
  });
  if (usageAt.has('own')) frames.push({ wire: data({ ...head, choices: [], usage: usageBody(usage) }), content: false });
  if (wishes.midError) return withMidError(frames, call, wishes.midError);
  const done = [...frames, { wire: `data: [DONE]${wishes.doneTail}\n\n`, content: false }];
  return wishes.eventLine ? done.map((frame) => ({ ...frame, wire: `event: message\n${frame.wire}` })) : done;
}

function data(body: unknown): string {
  return `data: ${JSON.stringify(body)}\n\n`;
}

/** Where usage goes. `asked` = the client sent `include_usage`; then the other frames say `usage:null`. */
function usagePlaces(wishes: Wishes, parameters: Parameters): ReadonlySet<UsagePlace | 'asked'> {
  const places = new Set<UsagePlace | 'asked'>();
  if (parameters.includeUsage) places.add('asked');
  if (wishes.usage) return places.add(wishes.usage);
  if (parameters.usageInEveryChunk || wishes.variant === 'B') places.add('every');
  // Old models sent usage on the last chunk without being asked.
  if (wishes.variant === 'C' || (wishes.variant === 'A' && wishes.profile === '2025' && !parameters.includeUsage)) places.add('finish');
  if (wishes.variant === 'A' && parameters.includeUsage) places.add('own');
  return places;
}

function usageField(at: ReadonlySet<UsagePlace | 'asked'>, usage: Usage, last: boolean, sent: number): Record<string, unknown> {
  if (last && (at.has('every') || at.has('finish'))) return { usage: usageBody(usage) };
  if (at.has('every')) {
    return { usage: { prompt_tokens: usage.prompt, completion_tokens: sent, total_tokens: usage.prompt + sent } };
  }
  return at.has('asked') ? { usage: null } : {};
}

function choice(step: Step, last: boolean, answer: Answer, wishes: Wishes): Record<string, unknown> {
  const tag = step.tag === null ? {} : { delta_tag: step.tag };
  const safety = { ...safetyFields(step.struck ? answer.safety : null, step.struck && wishes.needClearHistory) };
  const common = { index: 0, delta: step.delta, ...tag };
  const silent: Variant[] = ['B', 'C'];
  if (silent.includes(wishes.variant) && !step.struck) delete safety['flag'];
  if (wishes.variant !== 'B') return { ...common, finish_reason: last ? finishReason(answer) : null, ...safety };
  return {
    ...common,
    // The older scheme knows no `stop` for a natural end.
    ...(last && answer.finish !== 'none' ? { finish_reason: answer.finish === 'stop' ? 'normal' : answer.finish } : {}),
    is_end: last,
    need_clear_history: step.struck && answer.safety !== null && answer.safety.flag >= 2,
    ...safety,
  };
}

/** `[[sim:finish value=none]]` leaves the last frame unfinished, as a careless service does. */
function finishReason(answer: Answer): string | null {
  return answer.finish === 'none' ? null : answer.finish;
}

/** Cuts the stream after `after` content frames and says why in the given way. Never followed by `[DONE]`. */
function withMidError(frames: readonly Frame[], call: Call, wish: NonNullable<Wishes['midError']>): readonly Frame[] {
  let seen = 0;
  const cutAt = frames.findIndex((frame) => frame.content && ++seen > wish.after);
  const kept = cutAt < 0 ? frames : frames.slice(0, cutAt);
  if (wish.as === 'close') return kept;
  const { message, type } = ERRORS[wish.code];
  const body = { error: { code: wish.code, message, type }, id: call.ids.id };
  return [...kept, { wire: wish.as === 'bare' ? `${JSON.stringify(body)}\n` : data(body), content: false }];
}
