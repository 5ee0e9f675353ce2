import type { Answer } from './answer.ts';
import type { SentRequest } from './wire-log.ts';

export type Json = Readonly<Record<string, unknown>>;

/** What a model is for: it decides which features are asked of it. */
export type Kind = 'chat' | 'embedding' | 'rerank';

/** One model behind one backend, as a column of the card. */
export interface CardModel {
  readonly backend: string;
  readonly vendor: string;
  readonly protocol: string;
  readonly model: string;
  readonly kind: Kind;
  /** The name it is asked for by, through the relay. */
  readonly alias: string;
  /** Its vendor has switched it off: its cells are not tried. */
  readonly retired: boolean;
}

/** What is sent to the relay. */
export interface Ask {
  /** Behind `/v1`; `/chat/completions` unless told. */
  readonly path?: string;
  readonly method?: 'GET' | 'POST';
  /** Without `model` where the column's own is meant. */
  readonly body?: Json;
  /** Sent as it is, instead of a body. */
  readonly raw?: string;
  /** `strict`: a key that wants no change; `wrong`: none that the relay knows. */
  readonly key?: 'main' | 'strict' | 'wrong';
}

/** One request, and what must be true of its answer. */
export interface Probe {
  readonly ask: Ask;
  /** What is wrong with an answer that came (or with an error, where one is promised); the wire contract has been checked. */
  readonly judge?: (answer: Answer, seen: Seen) => readonly Finding[];
  /** An error is the promise. */
  readonly refusal?: Refusal;
  /** An error that keeps the promise as well as an answer does. */
  readonly orError?: string;
}

/** `status` of a broken stream is 200: the error comes inside. */
export interface Refusal {
  readonly status: number;
  readonly code: string | null;
  readonly param?: string | null;
  readonly type?: string;
}

/** Text: a broken promise. A lack: the answer is right but tells less than OpenAI's would. Unjudged: what was asked for could not come. */
export type Finding = string | { readonly lack: string } | { readonly unjudged: string };

/** One entry of the receipt, as `GET /v1/estafet/requests/{id}` shows it. */
export interface Change {
  readonly field: string;
  readonly fate: string;
  readonly reason: string;
  readonly to?: string;
  readonly alters: boolean;
}

/** What is known of the way to the vendor. */
export interface Seen {
  /** The vendor's requests in order; null on a live backend, where nobody looks. */
  readonly sent: readonly SentRequest[] | null;
  /** The receipt. */
  readonly changes: readonly Change[];
}

/** A row of the card: something of OpenAI's API that an app may rely on. */
export interface Feature {
  readonly id: string;
  readonly group: string;
  readonly title: string;
  readonly kind: Kind;
  /** Fields of the request, and their beginnings (`messages` stands for `messages[1].role`), whose changes are this row's. */
  readonly fields: readonly string[];
  /** True when the answer itself shows that the feature works: its checks fail where it does not. */
  readonly shows: boolean;
  /**
   * The requests to make; the worst verdict is the row's. `simulated`: the model can be told word for word what to say and which fault
   * to have. Empty: nothing that could be judged on a live backend.
   */
  probes(simulated: boolean, model: CardModel): readonly Probe[];
}
