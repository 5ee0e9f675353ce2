import { OpenAIError } from '../errors.ts';
import {
  array,
  boolean,
  checkName,
  isObject,
  listLength,
  missing,
  notEmpty,
  object,
  oneOf,
  string,
  wrongType,
  wrongValue,
} from './check.ts';
import { strictFault } from './strict-schema.ts';

/** `tools`, `tool_choice` and their deprecated forms `functions`, `function_call`. */
export function checkTools(body: Record<string, unknown>, maxTools: number): void {
  const names = new Set<string>();
  if (body['tools'] != null) {
    const tools = array('tools', body['tools']);
    listLength('tools', tools, maxTools);
    tools.forEach((tool, index) => void names.add(checkTool(`tools[${index}]`, tool)));
  }
  if (body['functions'] != null) {
    const functions = array('functions', body['functions']);
    notEmpty('functions', functions);
    listLength('functions', functions, maxTools);
    functions.forEach((entry, index) => void names.add(checkFunction(`functions[${index}]`, entry)));
    if (body['tools'] != null) wrongValue('functions', "'functions' and 'tools' cannot be sent together.");
  }
  if (body['tool_choice'] != null) checkToolChoice(body['tool_choice'], names);
  const call = body['function_call'];
  if (call == null) return;
  if (typeof call === 'string') oneOf('function_call', call, ['none', 'auto']);
  else {
    const name = string('function_call.name', object('function_call', call)['name']);
    if (!names.has(name))
      wrongValue(
        'function_call',
        `Invalid value for 'function_call': no function named '${name}' was specified in the 'functions' parameter.`,
      );
  }
}

function checkTool(path: string, value: unknown): string {
  const tool = object(path, value);
  if (tool['type'] === undefined) missing(`${path}.type`);
  const type = oneOf(`${path}.type`, tool['type'], ['function', 'custom']);
  if (tool[type] == null) missing(`${path}.${type}`);
  if (type === 'function') return checkFunction(`${path}.function`, tool['function']);
  return checkName(`${path}.custom.name`, object(`${path}.custom`, tool['custom'])['name']);
}

function checkFunction(path: string, value: unknown): string {
  const spec = object(path, value);
  const name = checkName(`${path}.name`, spec['name']);
  if (spec['description'] != null) string(`${path}.description`, spec['description']);
  if (spec['strict'] != null) boolean(`${path}.strict`, spec['strict']);
  const parameters = spec['parameters'];
  if (parameters == null) return name;
  if (!isObject(parameters)) wrongType(`${path}.parameters`, 'an object', parameters);
  const type = parameters['type'];
  if (type !== undefined && type !== 'object') {
    throw new OpenAIError(
      'invalid_function_parameters',
      `Invalid schema for function '${name}': schema must be a JSON Schema of 'type: "object"', got 'type: ${JSON.stringify(type)}'.`,
      { param: `${path}.parameters` },
    );
  }
  const fault = spec['strict'] === true ? strictFault(parameters) : null;
  if (fault !== null) {
    throw new OpenAIError('invalid_function_parameters', `Invalid schema for function '${name}': ${fault}`, {
      param: `${path}.parameters`,
    });
  }
  return name;
}

function checkToolChoice(value: unknown, names: ReadonlySet<string>): void {
  if (typeof value === 'string') {
    const choice = oneOf('tool_choice', value, ['none', 'auto', 'required']);
    if (choice === 'required' && names.size === 0) onlyWithTools();
    return;
  }
  if (!isObject(value)) wrongType('tool_choice', 'one of a string or an object', value);
  if (names.size === 0) onlyWithTools();
  const type = oneOf('tool_choice.type', value['type'] ?? '', ['function', 'custom', 'allowed_tools']);
  const inner = object(`tool_choice.${type}`, value[type] ?? missing(`tool_choice.${type}`));
  if (type !== 'allowed_tools') {
    known(string(`tool_choice.${type}.name`, inner['name'] ?? missing(`tool_choice.${type}.name`)), names);
    return;
  }
  oneOf('tool_choice.allowed_tools.mode', inner['mode'] ?? '', ['auto', 'required']);
  const allowed = array('tool_choice.allowed_tools.tools', inner['tools']);
  notEmpty('tool_choice.allowed_tools.tools', allowed);
  allowed.forEach((entry, index) => {
    const path = `tool_choice.allowed_tools.tools[${index}]`;
    const tool = object(path, entry);
    const kind = oneOf(`${path}.type`, tool['type'] ?? '', ['function', 'custom']);
    known(string(`${path}.${kind}.name`, object(`${path}.${kind}`, tool[kind])['name']), names);
  });
}

function known(name: string, names: ReadonlySet<string>): void {
  if (!names.has(name))
    wrongValue('tool_choice', `Invalid value for 'tool_choice': tool choice '${name.slice(0, 100)}' not found in 'tools' parameter.`);
}

function onlyWithTools(): never {
  throw new OpenAIError('invalid_value', "Invalid value for 'tool_choice': 'tool_choice' is only allowed when 'tools' are specified.", {
    param: 'tool_choice',
  });
}
