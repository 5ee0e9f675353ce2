import type { FunctionSpec, Tool } from '../../openai/chat/request.ts';
import type { Draft } from './draft.ts';

/** Which tool call a caller wants, whatever words were used for it. */
export type WantedCall = 'auto' | 'none' | 'required' | { readonly name: string };

export interface ToolRules {
  /** Names the vendor refuses; they go out with `_` behind and come back as they were. */
  readonly reservedNames: readonly string[];
  /** The choices the vendor takes now (its own switches considered); others are emulated. */
  readonly choices: (wanted: WantedCall) => 'send' | 'emulate';
  /** Whether `parallel_tool_calls: false` is a switch of the vendor's. */
  readonly parallelSwitch: boolean;
  /** What the vendor does when `parallel_tool_calls` is absent; OpenAI's default is true. */
  readonly parallelByDefault: boolean;
}

/** The caller's wish, from `tool_choice` or the deprecated `function_call`. */
export function wantedCall(draft: Draft): WantedCall {
  const { tool_choice: choice, function_call: legacy } = draft.request;
  if (legacy !== undefined) return typeof legacy === 'string' ? legacy : { name: legacy.name };
  if (choice === undefined) return 'auto';
  if (typeof choice === 'string') return choice;
  if (choice.type === 'function') return { name: choice.function.name };
  if (choice.type === 'custom') return { name: choice.custom.name };
  return choice.allowed_tools.mode;
}

/** True when the caller offers at least one function. */
export function offersTools(draft: Draft): boolean {
  return (draft.request.tools?.length ?? 0) > 0 || draft.request.functions !== undefined;
}

/** Carries `tools`, `tool_choice`, `parallel_tool_calls`, `functions` and `function_call`. */
export function carryTools(draft: Draft, rules: ToolRules): void {
  const { request, receipt, emulation, body } = draft;
  if (!offersTools(draft)) {
    if (request.tools !== undefined) receipt.note('tools', 'dropped', 'the list is empty');
    if (request.tool_choice !== undefined) receipt.note('tool_choice', 'dropped', 'there are no tools to choose from');
    if (request.function_call !== undefined) receipt.note('function_call', 'dropped', 'there are no functions to choose from');
    if (request.parallel_tool_calls !== undefined) receipt.note('parallel_tool_calls', 'dropped', 'there are no tools');
    return;
  }
  if (draft.facts.tools === false) {
    const field = request.functions !== undefined ? 'functions' : 'tools';
    receipt.refuse(
      field,
      `Unsupported parameter: '${field}' is not supported with this model: the backend's '${draft.target.model}' cannot call functions.`,
    );
  }
  const specs = offered(draft);
  const wanted = wantedCall(draft);
  const names = rename(draft, specs, rules.reservedNames);
  let sent = specs.map((spec) => functionTool(draft, spec, names));
  noteDefaults(draft, specs);
  if (wanted === 'none' && rules.choices('none') === 'emulate') {
    const choice = request.function_call === undefined ? 'tool_choice' : 'function_call';
    emulation.noCalls = true;
    // Calls of the history speak of these tools.
    if (request.messages.some(({ tool_calls, function_call }) => (tool_calls ?? function_call) != null)) {
      receipt.note(choice, 'emulated', 'the backend has no "none": the tools stay for the calls before, new ones are kept back', {
        alters: true,
      });
      body['tools'] = sent;
      if (names.size > 0) emulation.functionNames = names;
      if (request.parallel_tool_calls !== undefined) receipt.note('parallel_tool_calls', 'dropped', 'no call comes out');
      return;
    }
    receipt.note(choice, 'emulated', 'the backend has no "none": the tools are not sent');
    receipt.note(request.functions === undefined ? 'tools' : 'functions', 'dropped', 'none of them may be called');
    if (request.parallel_tool_calls !== undefined) receipt.note('parallel_tool_calls', 'dropped', 'the tools are not sent');
    return;
  }
  if (wanted !== 'auto' && wanted !== 'none') sent = forceCall(draft, wanted, rules, sent, names);
  else if (wanted === 'none') {
    body['tool_choice'] = 'none';
    emulation.noCalls = true;
  } else if (request.tool_choice !== undefined || request.function_call !== undefined) body['tool_choice'] = 'auto';
  body['tools'] = sent;
  if (names.size > 0) emulation.functionNames = names;
  carryParallel(draft, rules);
}

/** `required` or a named function: sent where the vendor takes it, else one sentence and a check of the answer. */
function forceCall(
  draft: Draft,
  wanted: 'required' | { readonly name: string },
  rules: ToolRules,
  tools: Record<string, unknown>[],
  names: ReadonlyMap<string, string>,
) {
  const { receipt, body, emulation } = draft;
  const sentName = typeof wanted === 'string' ? null : ([...names].find(([, original]) => original === wanted.name)?.[0] ?? wanted.name);
  emulation.mustCall = { name: typeof wanted === 'string' ? null : wanted.name };
  if (rules.choices(wanted) === 'send') {
    body['tool_choice'] = sentName === null ? 'required' : { type: 'function', function: { name: sentName } };
    return tools;
  }
  const field = draft.request.function_call === undefined ? 'tool_choice' : 'function_call';
  receipt.note(field, 'emulated', 'the backend cannot be forced to call: it is told to in the system message, and the answer is checked', {
    to: 'auto',
    alters: true,
  });
  body['tool_choice'] = 'auto';
  if (sentName === null) {
    draft.instructions.push('You must call at least one of the provided functions. Do not answer with text.');
    return tools;
  }
  draft.instructions.push(`You must call the function "${sentName}". Do not answer with text.`);
  return tools.filter((tool) => (tool['function'] as FunctionSpec).name === sentName);
}

function carryParallel(draft: Draft, rules: ToolRules): void {
  const { request, receipt, emulation, body } = draft;
  if (request.functions !== undefined) {
    // The deprecated form knows one call per answer.
    emulation.firstCallOnly = true;
    if (rules.parallelSwitch) body['parallel_tool_calls'] = false;
    if (request.parallel_tool_calls !== undefined)
      receipt.note('parallel_tool_calls', 'dropped', 'the deprecated functions make one call an answer');
    return;
  }
  const parallel = request.parallel_tool_calls;
  if (parallel === undefined && !rules.parallelByDefault) {
    receipt.note('parallel_tool_calls', 'defaulted', "OpenAI's default is true, this backend's is false", { to: 'true' });
    body['parallel_tool_calls'] = true;
  }
  if (parallel === undefined) return;
  if (rules.parallelSwitch) body['parallel_tool_calls'] = parallel;
  if (parallel) {
    if (!rules.parallelSwitch) receipt.note('parallel_tool_calls', 'dropped', 'it is what the backend does');
    return;
  }
  emulation.firstCallOnly = true;
  if (!rules.parallelSwitch)
    receipt.note('parallel_tool_calls', 'emulated', 'the backend has no switch: only the first call of an answer is passed on', {
      alters: true,
    });
}

/** The functions on offer: legacy form included, `allowed_tools` applied, custom tools refused by name. */
function offered(draft: Draft): readonly FunctionSpec[] {
  const { request, receipt } = draft;
  if (request.functions !== undefined) {
    receipt.note('functions', 'renamed', 'the deprecated form is sent as tools', { to: 'tools' });
    if (request.function_call !== undefined)
      receipt.note('function_call', 'renamed', 'the deprecated form is sent as tool_choice', { to: 'tool_choice' });
    return request.functions;
  }
  const choice = request.tool_choice;
  const allowed = typeof choice === 'object' && choice.type === 'allowed_tools' ? new Set(choice.allowed_tools.tools.map(toolName)) : null;
  if (allowed !== null) receipt.note('tool_choice', 'emulated', 'only the allowed tools are sent');
  const specs: FunctionSpec[] = [];
  for (const [index, tool] of (request.tools ?? []).entries()) {
    if (allowed !== null && !allowed.has(toolName(tool))) continue;
    if (tool.type === 'function') specs.push(tool.function);
    else {
      receipt.refuse(
        `tools[${index}].type`,
        `Unsupported value: 'tools[${index}].type' does not support '${tool.type}' with this model: the backend knows functions only.`,
        'unsupported_value',
      );
    }
  }
  return specs;
}

const toolName = (tool: Tool | Record<string, unknown>): string => {
  const inner = (tool as Record<string, unknown>)[String(tool['type' as keyof typeof tool])] as { name?: unknown } | undefined;
  return String(inner?.name);
};

/** Names as sent → names as offered, of the functions whose own name the vendor refuses. */
function rename(draft: Draft, specs: readonly FunctionSpec[], reserved: readonly string[]): Map<string, string> {
  const names = new Map<string, string>();
  for (const { name } of specs) {
    if (!reserved.includes(name)) continue;
    let sent = `${name}_`;
    while (specs.some((spec) => spec.name === sent)) sent += '_';
    names.set(sent, name);
    draft.receipt.note('tools', 'emulated', `the backend refuses a function called "${name}": it is renamed on the way and back`, {
      to: sent,
    });
  }
  return names;
}

/** Vendors list description and parameters as required; the name and an empty object say the least. */
function noteDefaults(draft: Draft, specs: readonly FunctionSpec[]): void {
  if (specs.every((spec) => spec.description && spec.parameters)) return;
  draft.receipt.note('tools', 'defaulted', 'the backend wants a description and parameters of each function: the name, no parameters');
}

function functionTool(draft: Draft, spec: FunctionSpec, names: ReadonlyMap<string, string>): Record<string, unknown> {
  const name = [...names].find(([, original]) => original === spec.name)?.[0] ?? spec.name;
  if (spec.strict === true)
    draft.receipt.note('tools', 'dropped', `the backend has no strict functions ("${spec.name}"): arguments may not follow the schema`, {
      alters: true,
    });
  return {
    type: 'function',
    function: { name, description: spec.description || spec.name, parameters: spec.parameters ?? { type: 'object', properties: {} } },
  };
}
