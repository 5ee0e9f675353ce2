import type { ChatEvents, Citation, FinishReason, Usage } from '../../openai/chat/events.ts';

/** Keeps what is played to it, texts of a choice joined. */
export class Recorder implements ChatEvents {
  readonly events: string[] = [];
  readonly texts = new Map<number, string>();
  readonly finishes = new Map<number, FinishReason>();

  text(choice: number, text: string): void {
    if (this.finishes.has(choice)) throw new Error(`text after the finish: ${text}`);
    this.events.push(`text ${choice} ${text}`);
    this.texts.set(choice, (this.texts.get(choice) ?? '') + text);
  }

  reasoning(choice: number, text: string): void {
    this.events.push(`reasoning ${choice} ${text}`);
  }

  tool(choice: number, call: number, id: string, name: string): void {
    this.events.push(`tool ${choice}.${call} ${id} ${name}`);
  }

  args(choice: number, call: number, piece: string): void {
    this.events.push(`args ${choice}.${call} ${piece}`);
  }

  citations(choice: number, list: readonly Citation[]): void {
    this.events.push(`citations ${choice} ${list.map(({ url }) => url).join(' ')}`);
  }

  finish(choice: number, reason: FinishReason): void {
    if (this.finishes.has(choice)) throw new Error('finished twice');
    this.events.push(`finish ${choice} ${reason}`);
    this.finishes.set(choice, reason);
  }

  usage(usage: Usage): void {
    this.events.push(`usage ${usage.prompt}+${usage.completion}`);
  }
}

/** Cuts a text at the given places, which may lie anywhere. */
export function pieces(text: string, cuts: readonly number[]): string[] {
  const at = [0, ...cuts.map((cut) => cut % (text.length + 1)), text.length].toSorted((a, b) => a - b);
  return at.slice(1).map((end, index) => text.slice(at[index], end));
}
