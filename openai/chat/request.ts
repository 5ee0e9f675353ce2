/** `POST /v1/chat/completions` as a backend-neutral request: validated, nulls removed, unknown fields kept. */

export type Effort = 'none' | 'minimal' | 'low' | 'medium' | 'high' | 'xhigh' | 'max';

export interface TextPart {
  readonly type: 'text';
  readonly text: string;
}
export interface ImagePart {
  readonly type: 'image_url';
  readonly image_url: { readonly url: string; readonly detail?: string };
}
export interface AudioPart {
  readonly type: 'input_audio';
  readonly input_audio: { readonly data: string; readonly format: string };
}
export interface FilePart {
  readonly type: 'file';
  readonly file: { readonly file_id?: string; readonly file_data?: string; readonly filename?: string };
}
export interface RefusalPart {
  readonly type: 'refusal';
  readonly refusal: string;
}
export type ContentPart = TextPart | ImagePart | AudioPart | FilePart | RefusalPart;

export interface ToolCall {
  readonly id: string;
  readonly type: 'function';
  readonly function: { readonly name: string; readonly arguments: string };
}

export type Role = 'system' | 'developer' | 'user' | 'assistant' | 'tool' | 'function';

export interface ChatMessage {
  readonly role: Role;
  readonly content?: string | readonly ContentPart[] | null;
  readonly name?: string;
  readonly tool_calls?: readonly ToolCall[];
  readonly tool_call_id?: string;
  readonly function_call?: { readonly name: string; readonly arguments: string };
  readonly refusal?: string | null;
  readonly reasoning_content?: string;
  readonly audio?: unknown;
  readonly annotations?: unknown;
  /** Whatever else a client put there; dialects drop it or know it. */
  readonly [extra: string]: unknown;
}

export interface FunctionSpec {
  readonly name: string;
  readonly description?: string;
  readonly parameters?: Record<string, unknown>;
  readonly strict?: boolean | null;
}
export interface FunctionTool {
  readonly type: 'function';
  readonly function: FunctionSpec;
}
export interface CustomTool {
  readonly type: 'custom';
  readonly custom: { readonly name: string };
}
export type Tool = FunctionTool | CustomTool;

export type ToolChoice =
  | 'none'
  | 'auto'
  | 'required'
  | { readonly type: 'function'; readonly function: { readonly name: string } }
  | { readonly type: 'custom'; readonly custom: { readonly name: string } }
  | {
      readonly type: 'allowed_tools';
      readonly allowed_tools: { readonly mode: 'auto' | 'required'; readonly tools: readonly Record<string, unknown>[] };
    };

export type ResponseFormat =
  | { readonly type: 'text' }
  | { readonly type: 'json_object' }
  | {
      readonly type: 'json_schema';
      readonly json_schema: {
        readonly name: string;
        readonly description?: string;
        readonly schema?: Record<string, unknown>;
        readonly strict?: boolean | null;
      };
    };

/** Every field OpenAI documents. Each dialect has a rule for each of them (`translators/compatible/rules.ts`). */
export interface ChatFields {
  readonly model: string;
  readonly messages: readonly ChatMessage[];
  readonly stream?: boolean;
  readonly stream_options?: { readonly include_usage?: boolean; readonly include_obfuscation?: boolean };
  readonly max_completion_tokens?: number;
  readonly max_tokens?: number;
  readonly temperature?: number;
  readonly top_p?: number;
  readonly presence_penalty?: number;
  readonly frequency_penalty?: number;
  readonly logit_bias?: Readonly<Record<string, number>>;
  readonly logprobs?: boolean;
  readonly top_logprobs?: number;
  readonly n?: number;
  readonly stop?: string | readonly string[];
  readonly seed?: number;
  readonly response_format?: ResponseFormat;
  readonly tools?: readonly Tool[];
  readonly tool_choice?: ToolChoice;
  readonly parallel_tool_calls?: boolean;
  readonly reasoning_effort?: Effort;
  readonly verbosity?: 'low' | 'medium' | 'high';
  readonly modalities?: readonly ('text' | 'audio')[];
  readonly audio?: Readonly<Record<string, unknown>>;
  readonly prediction?: Readonly<Record<string, unknown>>;
  readonly web_search_options?: Readonly<Record<string, unknown>>;
  readonly service_tier?: string;
  readonly store?: boolean;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly user?: string;
  readonly safety_identifier?: string;
  readonly prompt_cache_key?: string;
  readonly prompt_cache_options?: Readonly<Record<string, unknown>>;
  readonly prompt_cache_retention?: string;
  readonly moderation?: Readonly<Record<string, unknown>>;
  readonly functions?: readonly FunctionSpec[];
  readonly function_call?: 'none' | 'auto' | { readonly name: string };
}

export type ChatField = keyof ChatFields;

export type ChatRequest = ChatFields & { readonly [extra: string]: unknown };
