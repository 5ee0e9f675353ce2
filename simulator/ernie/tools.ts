/** Checks and reads `tools`, `tool_choice` and `parallel_tool_calls` (OpenAI's shapes; support differs by model). */

import type { ToolSpec } from '../kernel/types.ts';
import { badArgument } from './errors.ts';
import { isObject, type JsonObject } from './json.ts';
import type { ChatModel } from './models.ts';

export interface Tools {
  readonly specs: readonly ToolSpec[];
  readonly choice: 'auto' | 'none' | 'required' | { readonly name: string };
  readonly parallel: boolean;
  /** JSON text of the declarations, for token counting. */
  readonly text: string;
}

/** @throws Refusal `invalid_argument` */
export function readTools(body: JsonObject, model: ChatModel): Tools {
  const declared = body['tools'] ?? [];
  if (!Array.isArray(declared)) throw badArgument('tools must be an array');
  if (declared.length > 0 && !model.tools) throw badArgument(`tools is not supported by model ${model.id}`);
  const specs = declared.map((tool: unknown, index) => readSpec(tool, index));
  const parallel = body['parallel_tool_calls'] ?? true;
  if (typeof parallel !== 'boolean') throw badArgument('parallel_tool_calls must be a boolean');
  return {
    specs,
    choice: readChoice(body['tool_choice'] ?? 'auto', specs),
    parallel,
    text: specs.length > 0 ? JSON.stringify(declared) : '',
  };
}

function readSpec(tool: unknown, index: number): ToolSpec {
  const at = `tools[${index}]`;
  if (!isObject(tool) || tool['type'] !== 'function') throw badArgument(`the type of ${at} must be function`);
  const target = tool['function'];
  if (!isObject(target)) throw badArgument(`the function of ${at} must be an object`);
  const { name, description, parameters } = target;
  if (typeof name !== 'string' || !/^[A-Za-z0-9_-]{1,64}$/.test(name)) throw badArgument(`the function name of ${at} is invalid`);
  if (description !== undefined && typeof description !== 'string') throw badArgument(`the description of ${at} must be a string`);
  if (parameters !== undefined && !isObject(parameters)) throw badArgument(`the parameters of ${at} must be an object`);
  return { name, parameters: parameters ?? { type: 'object', properties: {} } };
}

function readChoice(value: unknown, specs: readonly ToolSpec[]): Tools['choice'] {
  if (value === 'auto' || value === 'none') return value;
  if (value === 'required') {
    if (specs.length === 0) throw badArgument('tool_choice required needs tools');
    return value;
  }
  const target = isObject(value) && value['type'] === 'function' ? value['function'] : undefined;
  const name = isObject(target) ? target['name'] : undefined;
  if (typeof name !== 'string') throw badArgument('tool_choice must be none, auto, required or a function');
  if (!specs.some((spec) => spec.name === name)) throw badArgument(`the function ${name} of tool_choice is not in tools`);
  return { name };
}
