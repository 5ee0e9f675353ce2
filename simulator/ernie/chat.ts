/** `POST /v2/chat/completions`: checks in the order model, parameters, messages, size, rate; then the answer. */

import { MESSAGE_OVERHEAD_TOKENS } from '../kernel/tokens.ts';
import type { Composition, Handled } from '../kernel/types.ts';
import { type Answer, makeAnswer, safetyFields, wholeContent } from './answer.ts';
import { type Call, checkKeyModel, createdSeconds, handled, modelDenied, modelName } from './call.ts';
import { whole } from './envelope.ts';
import { Refusal } from './errors.ts';
import { checkLimits, rateHeaders } from './limits.ts';
import { type Message, readMessages } from './messages.ts';
import { type ChatModel, findChatModel } from './models.ts';
import { type Parameters, readParameters } from './parameters.ts';
import { streamFrames } from './stream.ts';
import { readThinking, type Thinking } from './thinking.ts';
import { type Usage, usageBody } from './usage.ts';

/** Tokens a picture or video costs in the prompt; Baidu's rule is not published. */
const MEDIA_TOKENS = 256;
/** Tokens one search result adds to the prompt; likewise the simulator's own. */
const SEARCH_RESULT_TOKENS = 180;
/** Cache hits are counted in whole blocks of this many tokens. */
const CACHE_BLOCK_TOKENS = 64;

/** @throws Refusal for every request the vendor turns down */
export function chat(call: Call): Handled {
  const { body, wishes, kernel } = call;
  const model = permittedModel(call);
  const parameters = readParameters(body, model, wishes.profile);
  const thinking = readThinking(body, model);
  const messages = readMessages(body['messages'], model, wishes.profile);
  const prompt = promptOf(call, messages, parameters);
  checkSize(prompt, model);
  checkLimits(call, model.id);

  const composed = compose(call, messages, parameters, thinking, model);
  const ids = composed.toolCalls.map((_, index) => kernel.hex(call.incoming, `tool-${index}`, 32));
  const answer = makeAnswer(composed, ids, parameters.webSearch, lastUserText(messages), wishes, kernel);
  const cached = kernel.seenBefore(call.key.name, model.id, prompt.text)
    ? floorTo(prompt.tokens - prompt.searchTokens, CACHE_BLOCK_TOKENS)
    : 0;
  const usage: Usage = {
    prompt: prompt.tokens,
    search: prompt.searchTokens,
    cached,
    completion: composed.contentTokens + composed.reasoningTokens,
    reasoning: model.ernie ? null : composed.reasoningTokens,
  };
  const spent = {
    model: model.id,
    stream: parameters.stream,
    promptTokens: usage.prompt,
    completionTokens: usage.completion,
    reasoningTokens: composed.reasoningTokens,
    cachedTokens: cached,
    keyName: call.key.name,
  };
  const headers = { ...call.ids.headers, ...rateHeaders(call, model.id, { requests: 1, tokens: usage.prompt + usage.completion }) };
  if (parameters.stream && !wishes.jsonReply) {
    const frames = streamFrames(call, model, parameters, answer, usage);
    return handled({ kind: 'stream', status: 200, headers: { 'content-type': 'text/event-stream', ...headers }, frames }, spent);
  }
  return handled(whole(200, completion(call, model, answer, usage), headers), spent);
}

function permittedModel(call: Call): ChatModel {
  const name = modelName(call.body);
  const model = findChatModel(name);
  if (!model || (call.plan && !model.plan) || (!call.plan && name === 'qianfan-code-latest')) throw modelDenied(call);
  if (model.retired && call.wishes.profile !== '2025') throw new Refusal('model_offline');
  checkKeyModel(call, model.id);
  return model;
}

interface Prompt {
  readonly text: string;
  readonly tokens: number;
  readonly searchTokens: number;
  readonly chars: number;
}

function promptOf(call: Call, messages: readonly Message[], parameters: Parameters): Prompt {
  const texts = messages.map((message) => message.text + message.callText);
  const text = [parameters.tools.text, ...texts].filter((part) => part !== '').join('\n');
  const media = messages.reduce((sum, message) => sum + message.media, 0);
  const searchTokens = (parameters.webSearch?.results ?? 0) * SEARCH_RESULT_TOKENS;
  return {
    text,
    tokens: call.kernel.countTokens(text) + messages.length * MESSAGE_OVERHEAD_TOKENS + media * MEDIA_TOKENS + searchTokens,
    searchTokens,
    chars: texts.reduce((sum, part) => sum + part.length, 0),
  };
}

function checkSize(prompt: Prompt, model: ChatModel): void {
  if (model.maxInputChars !== null && prompt.chars > model.maxInputChars) {
    throw new Refusal('characters_too_long', `the max input characters is ${model.maxInputChars}`);
  }
  // Search results come in after this check, so they never push a prompt over the limit.
  if (prompt.tokens - prompt.searchTokens > model.maxInputTokens) throw new Refusal('tokens_too_long');
}

function compose(call: Call, messages: readonly Message[], parameters: Parameters, thinking: Thinking, model: ChatModel): Composition {
  const lastAssistant = messages.findLastIndex((message) => message.role === 'assistant');
  const total = parameters.maxCompletionTokens ?? model.maxOutputTokens;
  return call.kernel.compose({
    system: messages.flatMap((message) => (message.role === 'system' ? [message.text] : [])).join('\n\n'),
    lastUser: lastUserText(messages),
    toolResults: messages.slice(lastAssistant + 1).flatMap((message) => (message.role === 'tool' ? [message.text] : [])),
    continueText: null,
    images: messages.reduce((sum, message) => sum + message.media, 0),
    tools: parameters.tools.specs,
    toolChoice: parameters.tools.choice,
    parallel: parameters.tools.parallel,
    json: parameters.json,
    thinking: thinking.on,
    thinkingBudget: thinking.budget,
    effort: thinking.effort,
    // max_tokens bounds the answer alone; max_completion_tokens bounds answer and thought, and wins.
    maxAnswerTokens: parameters.maxCompletionTokens === null ? parameters.maxTokens : null,
    maxTotalTokens: total,
    stop: parameters.stop,
    choice: 0,
    seed: parameters.seed,
  });
}

function lastUserText(messages: readonly Message[]): string {
  return messages.findLast((message) => message.role === 'user')?.text ?? '';
}

function completion(call: Call, model: ChatModel, answer: Answer, usage: Usage): unknown {
  const { wishes } = call;
  return {
    id: call.ids.id,
    object: wishes.object ?? 'chat.completion',
    created: createdSeconds(call.incoming),
    model: wishes.echo ?? model.echo,
    choices: [
      {
        index: 0,
        message: {
          role: 'assistant',
          ...(answer.reasoning === '' ? {} : { reasoning_content: answer.reasoning }),
          content: wholeContent(answer),
          ...(answer.toolCalls.length === 0 ? {} : { tool_calls: answer.toolCalls.map(wholeToolCall) }),
        },
        finish_reason: answer.finish,
        ...safetyFields(answer.safety, wishes.needClearHistory),
      },
    ],
    ...(answer.searchTrace ? { search_results: answer.search } : {}),
    usage: usageBody(usage),
  };
}

/** Whole answers number their calls by position only: no `index` (it appears in streams). */
function wholeToolCall(call: { id: string; name: string; arguments: string }): unknown {
  return { id: call.id, type: 'function', function: { name: call.name, arguments: call.arguments } };
}

function floorTo(value: number, step: number): number {
  return value - (value % step);
}
