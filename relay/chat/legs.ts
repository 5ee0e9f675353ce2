import type { ChatEvents, Citation, FinishReason, Usage } from '../../openai/chat/events.ts';
import type { Emulation } from '../../translators/translator.ts';
import { CallFilter } from '../emulation/call-filter.ts';
import { JsonGuard, type SchemaCheck } from '../emulation/json-guard.ts';
import { MustCall } from '../emulation/must-call.ts';
import { StopCutter } from '../emulation/stop-cutter.ts';
import { ChoiceLimit } from './choice-limit.ts';

/** First of a leg's chain: counts all that the vendor made, also what is held back or cut on its way to the caller. */
export class LegMeter implements ChatEvents {
  readonly #next: ChatEvents;
  usageSeen: Usage | null = null;
  /** Something of an answer came. */
  begun = false;
  /** Text, thinking and arguments, in UTF-16 code units and in pieces; for estimates only. */
  chars = 0;
  pieces = 0;

  constructor(next: ChatEvents) {
    this.#next = next;
  }

  text(choice: number, text: string, logprobs?: readonly unknown[]): void {
    this.#count(text);
    this.#next.text(choice, text, logprobs);
  }

  reasoning(choice: number, text: string): void {
    this.#count(text);
    this.#next.reasoning(choice, text);
  }

  tool(choice: number, call: number, id: string, name: string): void {
    this.#count(name);
    this.#next.tool(choice, call, id, name);
  }

  args(choice: number, call: number, piece: string): void {
    this.#count(piece);
    this.#next.args(choice, call, piece);
  }

  citations(choice: number, list: readonly Citation[]): void {
    this.begun = true;
    this.#next.citations(choice, list);
  }

  finish(choice: number, reason: FinishReason): void {
    this.begun = true;
    this.#next.finish(choice, reason);
  }

  usage(usage: Usage): void {
    this.usageSeen = usage;
    this.#next.usage(usage);
  }

  #count(text: string): void {
    this.begun = true;
    this.chars += text.length;
    this.pieces++;
  }
}

/** Last of a leg's chain: gives the choices of parallel calls their numbers, and keeps the leg's usage to itself. */
export class LegOutput implements ChatEvents {
  readonly #next: ChatEvents;
  readonly #offset: number;
  /** Of each choice that ended. */
  readonly finishes: FinishReason[] = [];

  constructor(next: ChatEvents, offset: number) {
    this.#next = next;
    this.#offset = offset;
  }

  text(choice: number, text: string, logprobs?: readonly unknown[]): void {
    this.#next.text(choice + this.#offset, text, logprobs);
  }

  reasoning(choice: number, text: string): void {
    this.#next.reasoning(choice + this.#offset, text);
  }

  tool(choice: number, call: number, id: string, name: string): void {
    this.#next.tool(choice + this.#offset, call, id, name);
  }

  args(choice: number, call: number, piece: string): void {
    this.#next.args(choice + this.#offset, call, piece);
  }

  citations(choice: number, list: readonly Citation[]): void {
    this.#next.citations(choice + this.#offset, list);
  }

  finish(choice: number, reason: FinishReason): void {
    this.finishes.push(reason);
    this.#next.finish(choice + this.#offset, reason);
  }

  usage(): void {}
}

/** What stands between a translator and the caller for one leg; `first` is what the translator plays to. */
export interface Chain {
  readonly first: ChatEvents;
  readonly meter: LegMeter;
  readonly output: LegOutput;
  readonly cutter: StopCutter | null;
  readonly guard: JsonGuard | null;
  readonly must: MustCall | null;
}

/**
 * Builds the chain an emulation asks for; nothing but meter, limit and output in the ordinary case.
 * @param choices how many the leg may make
 */
export function buildChain(sink: ChatEvents, offset: number, emulation: Emulation, check: SchemaCheck, choices: number): Chain {
  const output = new LegOutput(sink, offset);
  let first: ChatEvents = output;
  let guard: JsonGuard | null = null;
  let cutter: StopCutter | null = null;
  let must: MustCall | null = null;
  // Stop words count in what the caller sees: prose and fences around the JSON are gone by then.
  if (emulation.stop !== undefined) first = cutter = new StopCutter(first, emulation.stop);
  if (emulation.json !== undefined) {
    const { schema, mayEndEarly } = emulation.json;
    const stops = mayEndEarly === true ? { wasCut: (choice: number) => cutter?.wasCut(choice) === true } : null;
    first = guard = new JsonGuard(first, schema, check, stops);
  }
  if (emulation.mustCall !== undefined) first = must = new MustCall(first, emulation.mustCall.name);
  if (emulation.firstCallOnly === true || emulation.noCalls === true || emulation.functionNames !== undefined) {
    const { firstCallOnly: firstOnly = false, noCalls: none = false, functionNames: names } = emulation;
    first = new CallFilter(first, { firstOnly, none, names });
  }
  const meter = new LegMeter(new ChoiceLimit(first, choices));
  return { first: meter, meter, output, cutter, guard, must };
}
