import { MESSAGE_OVERHEAD_TOKENS } from '../kernel/tokens.ts';
import type { ComposeTask, Frame } from '../kernel/types.ts';
import { type Answer, completionBody, type Usage } from './answer.ts';
import type { Call } from './call.ts';
import { invalid, invalidInside, Refusal } from './errors.ts';
import { fragmentVariant, midErrorFrom, moderate, refusalFrom } from './faults.ts';
import { checkFields } from './fields.ts';
import { isObject } from './json.ts';
import { type Conversation, readMessages } from './messages.ts';
import { CHAT_MODELS, type ChatModel } from './models.ts';
import { readResponseFormat } from './response-format.ts';
import { readBoolean, readSampling, type Sampling } from './sampling.ts';
import { cited, readSearch, type Search } from './search.ts';
import { completionFrames, type StreamOptions } from './stream.ts';
import { readThinking, type ThinkingMode } from './thinking.ts';
import { readTools, type ToolUse } from './tools.ts';

/** Every image counts this many prompt tokens, whatever its size. */
const IMAGE_TOKENS = 256;
/** Cached tokens reported for a prompt whose beginning was seen before (Qwen: implicit cache, 256 tokens at least). */
const CACHED_TOKENS = 256;

export interface ChatResult {
  readonly model: string;
  readonly usage: Usage;
  readonly stream: boolean;
  readonly body: Record<string, unknown> | null;
  readonly frames: readonly Frame[] | null;
}

/** What was asked and answered, before it takes the form of a protocol. */
export interface Turn {
  readonly answer: Answer;
  readonly sampling: Sampling;
  readonly tools: ToolUse;
  /** Null when nothing was searched. */
  readonly search: Search | null;
  /** Fragments as the faults in force want them. */
  readonly fragments: Pick<StreamOptions, 'fineTools' | 'variant' | 'midError' | 'pieces'>;
}

/** POST /chat/completions. @throws Refusal */
export function chat(call: Call): ChatResult {
  const { answer, sampling, fragments } = converse(call);
  const { model, usage } = answer;
  if (!sampling.stream) return { model, usage, stream: false, body: completionBody(answer, fragments.pieces), frames: null };
  const usageAlways = call.faults.some((fault) => fault.name === 'usage-always');
  const frames = completionFrames(answer, { ...fragments, includeUsage: sampling.includeUsage, usageAlways });
  return { model, usage, stream: true, body: null, frames };
}

/**
 * One turn of a body in the words of compatible mode.
 * @param native what DashScope's own protocol takes besides: larger seeds, and search options that ask for sources
 * @throws Refusal
 */
export function converse(call: Call, native: { readonly maxSeed: number } | null = null): Turn {
  const { body, kernel, faults } = call;
  const model = modelOf(body['model']);
  const streams = body['stream'] === true;
  const waits = Number(call.incoming.headers['x-dashscope-wait-timeout'] ?? 0) > 0;
  const refusal = refusalFrom(faults, { inputLimit: model.input, stream: streams, waits });
  if (refusal !== null) throw refusal;

  checkFields(body, kernel.strict === true);
  const sampling = readSampling(body, model, native?.maxSeed);
  const preserve = model.preserveThinking && (readBoolean(body, 'preserve_thinking') ?? false);
  const talk = readMessages(body['messages'], model, { strict: kernel.strict === true, countReasoning: preserve });
  const thinking = readThinking(body, model, talk.lastUser, sampling.stream);
  const tools = readTools(body, model, thinking.on);
  checkCombination(model, sampling, thinking, tools, talk);
  const search = readSearch(body, model, native !== null, kernel.strict === true);
  const json = readResponseFormat(body, model, thinking.on, talk.texts);
  const promptTokens = countPrompt(call, talk, tools);
  if (promptTokens > model.input) throw invalidInside(`Range of input length should be [1, ${model.input}]`);
  const moderated = moderate(talk.texts);
  if (moderated !== null) throw moderated;

  const choices = Array.from({ length: sampling.n }, (_, choice) =>
    cited(kernel.compose(taskOf(talk, tools, thinking, sampling, model, json, choice)), json === null ? search : null, kernel.countTokens),
  );
  const cached = kernel.seenBefore(call.key.account, model.id, talk.texts.join('\n'));
  const usage: Usage = {
    promptTokens,
    completionTokens: choices.reduce((total, one) => total + one.contentTokens + one.reasoningTokens, 0),
    reasoningTokens: choices.reduce((total, one) => total + one.reasoningTokens, 0),
    cachedTokens: cached ? CACHED_TOKENS : 0,
    imageTokens: talk.images === 0 ? null : talk.images * IMAGE_TOKENS,
  };
  const answer: Answer = {
    requestId: call.requestId,
    created: Math.floor(call.incoming.nowMs / 1_000),
    model: model.id,
    choices,
    thinking: thinking.on,
    topLogprobs: sampling.topLogprobs,
    usage,
    callId: (choice, position) => `call_${kernel.hex(call.incoming, `call-${choice}-${position}`, 24)}`,
  };
  const fragments = {
    fineTools: tools.fineStream,
    variant: fragmentVariant(faults),
    midError: midErrorFrom(faults),
    pieces: kernel.pieces,
  };
  return { answer, sampling, tools, search, fragments };
}

/** @throws Refusal 400, 403 or 404 */
export function modelOf(name: unknown): ChatModel {
  if (name === undefined || name === null || name === '') throw invalid('you must provide a model parameter');
  if (typeof name !== 'string') throw invalid("'model' must be String");
  const model = CHAT_MODELS.get(name);
  if (model === undefined) {
    throw new Refusal('model_not_found', { message: `The model \`${name}\` does not exist or you do not have access to it.` });
  }
  if (model.retired) throw new Refusal('Endpoint.AccessDenied');
  return model;
}

function checkCombination(model: ChatModel, sampling: Sampling, thinking: ThinkingMode, tools: ToolUse, talk: Conversation): void {
  if (sampling.n > 1 && tools.tools.length > 0) throw invalid("'n' must be 1 when tools is not None");
  if (sampling.n > 1 && (thinking.on || !model.severalChoices)) throw invalid("'n' must be 1 for this model or in thinking mode");
  if (talk.continueText !== null && thinking.on) throw invalidInside('Partial mode is not supported when enable_thinking is true');
}

/** Tokens of all messages with a fixed overhead each, of the tools' JSON, and of the images. */
function countPrompt({ kernel }: Call, talk: Conversation, tools: ToolUse): number {
  const messages = talk.texts.reduce((total, text) => total + kernel.countTokens(text) + MESSAGE_OVERHEAD_TOKENS, 0);
  return messages + kernel.countTokens(tools.text) + talk.images * IMAGE_TOKENS;
}

function taskOf(
  talk: Conversation,
  tools: ToolUse,
  thinking: ThinkingMode,
  sampling: Sampling,
  model: ChatModel,
  json: ComposeTask['json'],
  choice: number,
): ComposeTask {
  return {
    system: talk.system,
    lastUser: talk.lastUser,
    toolResults: talk.toolResults,
    continueText: talk.continueText,
    images: talk.images,
    tools: tools.tools,
    toolChoice: tools.choice,
    parallel: tools.parallel,
    json,
    thinking: thinking.on,
    thinkingBudget: thinking.budget,
    effort: thinking.effort,
    maxAnswerTokens: sampling.maxTokens ?? model.maxOutput,
    maxTotalTokens: sampling.maxCompletionTokens,
    stop: sampling.stop,
    choice,
    seed: sampling.seed,
  };
}

/** The text of an `isObject` body's model, for accounting of refused requests. */
export function modelNameOf(body: unknown): string | null {
  return isObject(body) && typeof body['model'] === 'string' ? body['model'] : null;
}
