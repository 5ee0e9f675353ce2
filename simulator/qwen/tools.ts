import type { ComposeTask, ToolSpec } from '../kernel/types.ts';
import { invalid, invalidInside } from './errors.ts';
import { given, isObject, type JsonObject } from './json.ts';
import type { ChatModel } from './models.ts';
import { readBoolean } from './sampling.ts';

export interface ToolUse {
  readonly tools: readonly ToolSpec[];
  readonly choice: ComposeTask['toolChoice'];
  readonly parallel: boolean;
  /** Arguments with arrays or objects inside are streamed in pieces too. */
  readonly fineStream: boolean;
  /** JSON text of the tools, which costs prompt tokens. */
  readonly text: string;
}

/** @throws Refusal 400 */
export function readTools(body: JsonObject, model: ChatModel, thinking: boolean): ToolUse {
  if (given(body, 'functions') !== undefined || given(body, 'function_call') !== undefined) {
    throw invalid("'functions' and 'function_call' are not supported, please use 'tools' and 'tool_choice'");
  }
  const tools = readList(given(body, 'tools'), model);
  const parallel = readBoolean(body, 'parallel_tool_calls') ?? false;
  const fineStream = model.toolStream && (readBoolean(body, 'tool_stream') ?? false);
  const choice = readChoice(given(body, 'tool_choice'), tools, thinking);
  return { tools, choice, parallel, fineStream, text: tools.length === 0 ? '' : JSON.stringify(body['tools']) };
}

function readList(value: unknown, model: ChatModel): readonly ToolSpec[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw invalid("'tools' must be a list");
  if (value.length === 0) throw invalid("[] is too short - 'tools'");
  if (!model.tools) throw invalidInside('The tool call is not supported.');
  return value.map((tool: unknown, index) => {
    if (!isObject(tool) || tool['type'] !== 'function' || !isObject(tool['function'])) {
      throw invalid(`'function' is the only tool type - 'tools.[${index}].type'`);
    }
    const { name, parameters } = tool['function'];
    if (typeof name !== 'string' || !/^[A-Za-z0-9_-]{1,64}$/.test(name)) {
      throw invalid(`${JSON.stringify(name)} does not match '^[a-zA-Z0-9_-]{1,64}$' - 'tools.[${index}].function.name'`);
    }
    if (name === 'search') throw invalidInside('Tool names are not allowed to be [search]');
    if (parameters !== undefined && parameters !== null && !isObject(parameters))
      throw invalid(`'tools.[${index}].function.parameters' must be an object`);
    return { name, parameters: parameters ?? {} };
  });
}

/** Thinking refuses every forced choice; `required` is taken without thinking although the reference leaves it out. */
function readChoice(value: unknown, tools: readonly ToolSpec[], thinking: boolean): ComposeTask['toolChoice'] {
  if (value === undefined || value === 'auto') return 'auto';
  if (value === 'none') return 'none';
  const named = isObject(value) && value['type'] === 'function' && isObject(value['function']) ? value['function']['name'] : undefined;
  if (value !== 'required' && typeof named !== 'string') {
    throw invalid('tool_choice is one of the strings that should be ["none", "auto"], or an object with type and function');
  }
  if (thinking) throw invalidInside('The tool_choice parameter does not support being set to required or object in thinking mode');
  if (tools.length === 0) throw invalid("'tool_choice' is only allowed when 'tools' are specified");
  if (typeof named !== 'string') return 'required';
  if (!tools.some((tool) => tool.name === named)) throw invalid(`tool_choice: no tool is named ${JSON.stringify(named)}`);
  return { name: named };
}
