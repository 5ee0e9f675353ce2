/** What the tests ask of each vendor: one model of each sort, as the relay's catalogue and the simulator both know them. */
export interface VendorCase {
  readonly vendor: 'qwen' | 'ernie' | 'glm';
  /** Alias on `model` with thinking off: the plain chat model of most tests. */
  readonly chat: string;
  /** The vendor's own name of a text-only model with tools. */
  readonly model: string;
  /** A model that thinks unless told not to. */
  readonly thinker: string;
  /** Takes images. */
  readonly vision: string;
}

export const VENDOR_CASES: VendorCase[] = [
  { vendor: 'qwen', chat: 'qwen-chat', model: 'qwen-plus', thinker: 'qwen3.7-plus', vision: 'qwen3-vl-plus' },
  {
    vendor: 'ernie',
    chat: 'ernie-chat',
    model: 'ernie-4.5-turbo-128k',
    thinker: 'ernie-5.0-thinking-latest',
    vision: 'ernie-4.5-turbo-vl-32k',
  },
  { vendor: 'glm', chat: 'glm-chat', model: 'glm-4.6', thinker: 'glm-4.7', vision: 'glm-4.6v' },
];

/** The aliases behind `chat`. */
export const CHAT_ALIASES: Readonly<Record<string, unknown>> = Object.fromEntries(
  VENDOR_CASES.map(({ vendor, chat, model }) => [chat, [{ to: `${vendor}/${model}`, thinking: 'off' }]]),
);

/** The protocol of the backend `qwen`, for rigs that start from now on. */
let qwenProtocol: 'compatible' | 'native' = 'compatible';
export const protocolOf = (vendor: string): string => (vendor === 'qwen' ? qwenProtocol : 'compatible');

/** From now on in this file: Qwen alone, by its own protocol. To be called before the tables above are used. */
export function onlyNativeQwen(): void {
  qwenProtocol = 'native';
  VENDOR_CASES.splice(0, VENDOR_CASES.length, ...VENDOR_CASES.filter(({ vendor }) => vendor === 'qwen'));
}

/** Where the count of an answer that breaks off comes from: the native protocol tells it on every event, the others at the end. */
export const sourceWhenBroken = (vendor: string): 'vendor' | 'estimated' => (protocolOf(vendor) === 'native' ? 'vendor' : 'estimated');
