import { balancedEnd, type Directive, parseDirectives } from './directives.ts';
import { type Random, randomFrom } from './random.ts';
import { instanceOf } from './schema-instance.ts';
import { countTokens, cutTokens } from './tokens.ts';
import type { ComposeTask, Composition, ToolCall } from './types.ts';
import { answer, languageOf, proseOf, shortPhrase, topicOf } from './words.ts';

/**
 * The simulated model. Deterministic: the same task gives the same answer, another prompt, seed or choice another one.
 * Directives in the last user text steer it (docs/guide/simulator.md lists them).
 */
export function compose(task: ComposeTask): Composition {
  const { directives, rest } = parseDirectives(task.lastUser);
  const random = randomFrom(task.system, task.lastUser, task.toolResults, task.continueText, task.images, task.seed, task.choice);
  const found = (name: string): Directive | undefined => directives.find((directive) => directive.name === name);

  const thought = task.thinking ? think(task, rest, random, wholeNumber(found('think')?.args['n'])) : '';
  const reasoning = task.maxTotalTokens === null ? thought : cutTokens(thought, task.maxTotalTokens);
  const reasoningTokens = countTokens(reasoning);
  const limits = [task.maxAnswerTokens, task.maxTotalTokens === null ? null : task.maxTotalTokens - reasoningTokens];
  const limit = Math.min(...limits.map((value) => value ?? Number.POSITIVE_INFINITY));
  if (reasoning.length < thought.length)
    return { reasoning, content: '', toolCalls: [], finish: 'length', reasoningTokens, contentTokens: 0 };

  const calls = found('leak-call') === undefined ? chooseCalls(task, directives, rest, random) : [];
  if (calls.length > 0) return { reasoning, reasoningTokens, content: '', ...limitCalls(calls, limit) };

  const text = beforeStop(write(task, directives, rest, random), task.stop);
  const content = cutTokens(text, limit);
  return {
    reasoning,
    content,
    toolCalls: [],
    finish: content.length < text.length ? 'length' : 'stop',
    reasoningTokens,
    contentTokens: countTokens(content),
  };
}

function think(task: ComposeTask, rest: string, random: Random, exact: number | null): string {
  const language = languageOf(rest);
  const wanted = exact ?? Math.max(1, Math.round(random.between(10, 60) * task.effort));
  const opening = language === 'zh' ? `用户想了解${topicOf(rest)}。` : `The user asks about ${topicOf(rest) || 'this'}. `;
  const text = cutTokens(opening + proseOf(random, language, wanted), wanted);
  return task.thinkingBudget === null ? text : cutTokens(text, task.thinkingBudget);
}

function chooseCalls(task: ComposeTask, directives: readonly Directive[], rest: string, random: Random): readonly ToolCall[] {
  if (task.tools.length === 0 || task.toolChoice === 'none' || task.toolResults.length > 0) return [];
  const asked = directives
    .filter((directive) => directive.name === 'call' && directive.args['name'] !== undefined)
    .map((directive) => ({
      name: directive.args['name'] ?? '',
      arguments: directive.args['args'] ?? argumentsFor(task, directive.args['name'], random),
    }));
  const make = (name: string): ToolCall =>
    asked.find((call) => call.name === name) ?? { name, arguments: argumentsFor(task, name, random) };
  const { toolChoice } = task;
  const first = task.tools[0]?.name ?? '';
  let calls: readonly ToolCall[];
  if (typeof toolChoice === 'object') calls = [make(toolChoice.name)];
  else if (asked.length > 0) calls = asked;
  else {
    const lower = rest.toLowerCase();
    const named = task.tools.map((tool) => tool.name).filter((name) => mentions(lower, name.toLowerCase()));
    if (named.length === 0 && (toolChoice === 'required' || task.system.toLowerCase().includes('must call'))) named.push(first);
    calls = named.map(make);
  }
  return task.parallel ? calls : calls.slice(0, 1);
}

function mentions(text: string, name: string): boolean {
  return text.includes(name) || text.includes(name.replaceAll('_', ' '));
}

function argumentsFor(task: ComposeTask, name: string | undefined, random: Random): string {
  const parameters = task.tools.find((tool) => tool.name === name)?.parameters;
  const value = typeof parameters === 'object' && parameters !== null ? instanceOf({ type: 'object', ...parameters }, random) : {};
  return JSON.stringify(value);
}

function limitCalls(calls: readonly ToolCall[], limit: number): Pick<Composition, 'toolCalls' | 'finish' | 'contentTokens'> {
  const kept: ToolCall[] = [];
  let left = limit;
  for (const call of calls) {
    const cost = countTokens(call.name) + countTokens(call.arguments);
    if (cost > left) {
      const room = left - countTokens(call.name);
      if (room > 0) kept.push({ name: call.name, arguments: cutTokens(call.arguments, room) });
      return { toolCalls: kept, finish: 'length', contentTokens: callTokens(kept) };
    }
    kept.push(call);
    left -= cost;
  }
  return { toolCalls: kept, finish: 'tool_calls', contentTokens: callTokens(kept) };
}

function callTokens(calls: readonly ToolCall[]): number {
  return calls.reduce((total, call) => total + countTokens(call.name) + countTokens(call.arguments), 0);
}

/** A system text that wants JSON and nothing else: a model without a JSON mode follows it too. */
const ASKS_FOR_JSON = /\bone JSON (?:object|value)\b/i;

function write(task: ComposeTask, directives: readonly Directive[], rest: string, random: Random): string {
  const found = (name: string): Directive | undefined => directives.find((directive) => directive.name === name);
  const said = found('say')?.args['text'] ?? (found('echo') ? rest : undefined);
  if (said !== undefined) return continued(said, task.continueText);
  if (found('leak-call')) {
    const name = task.tools[0]?.name ?? 'get_weather';
    return `<tool_call>\n{"name": ${JSON.stringify(name)}, "arguments": ${argumentsFor(task, name, random)}}\n</tool_call>`;
  }
  const language = languageOf(rest);
  if ((task.json !== null || ASKS_FOR_JSON.test(task.system)) && !found('nojson')) {
    const text = JSON.stringify(jsonAnswer(task, rest, random));
    return found('fence') ? `Here is the result:\n\n\`\`\`json\n${text}\n\`\`\`\n` : text;
  }
  const exact = wholeNumber(found('tokens')?.args['n']);
  if (exact !== null) return proseOf(random, language, exact);
  const results = task.toolResults.map((result) => [...result].slice(0, 400).join(''));
  if (results.length > 0) return `${language === 'zh' ? '工具返回：' : 'The tools answered: '}${results.join(' | ')}`;
  const seen = task.images === 0 ? '' : language === 'zh' ? `我看到 ${task.images} 张图片。` : `I can see ${task.images} image(s). `;
  return seen + answer(random, language, topicOf(rest));
}

/** A continuation holds only what comes after the text that is being continued. */
function continued(text: string, begun: string | null): string {
  return begun !== null && begun !== '' && text.startsWith(begun) ? text.slice(begun.length) : text;
}

function jsonAnswer(task: ComposeTask, rest: string, random: Random): unknown {
  const schema = task.json?.kind === 'schema' ? task.json.schema : schemaIn(task.system);
  if (schema !== null) return instanceOf(schema, random);
  return {
    answer: answer(random, languageOf(rest), topicOf(rest)),
    keyword: topicOf(rest) || shortPhrase(random),
    score: random.between(1, 100),
  };
}

/** The first JSON Schema of an object written into a text: the model follows such an instruction. */
function schemaIn(text: string): unknown {
  let tries = 0;
  for (let at = text.indexOf('{'); at >= 0 && tries < 50; at = text.indexOf('{', at + 1), tries += 1) {
    const end = balancedEnd(text, at);
    if (end === null) continue;
    const value = parsed(text.slice(at, end));
    if (typeof value === 'object' && value !== null && 'type' in value && value.type === 'object' && 'properties' in value) return value;
  }
  return null;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null; // prose in braces is not a schema
  }
}

function beforeStop(text: string, stops: readonly string[]): string {
  const ends = stops
    .filter((stop) => stop !== '')
    .map((stop) => text.indexOf(stop))
    .filter((end) => end >= 0);
  return ends.length === 0 ? text : text.slice(0, Math.min(...ends));
}

function wholeNumber(text: string | undefined): number | null {
  if (text === undefined || !/^\d{1,6}$/.test(text)) return null;
  return Number(text);
}
