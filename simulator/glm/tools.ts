/** Reads `tools` and `tool_choice` (GLM 2.4). */
import type { ComposeTask, ToolSpec } from '../kernel/types.ts';
import { illegal, notReceived, Refusal, wrong } from './errors.ts';
import { type Fields, isFields } from './fields.ts';
import type { ChatModel } from './models.ts';

export interface WebSearch {
  readonly query: string | null;
  readonly count: number;
}

export interface ReadTools {
  readonly tools: readonly ToolSpec[];
  readonly choice: ComposeTask['toolChoice'];
  readonly webSearch: WebSearch | null;
}

const MAX_TOOLS = 128;
const ENGINES: Readonly<Record<string, ReadonlySet<string>>> = {
  cn: new Set(['search_std', 'search_pro', 'search_pro_sogou', 'search_pro_quark']),
  intl: new Set(['search_pro_jina', 'search-prime']),
};

/** `fields`: insist on what the schema calls required. `choice`: refuse any `tool_choice` but `auto`. */
export interface Strictness {
  readonly fields: boolean;
  readonly choice: boolean;
}

/** @throws Refusal 1214 illegal tool or choice, 1213 a part is missing, 1210 schemas the vendor cannot read */
export function readTools(body: Fields, model: ChatModel, region: string, strict: Strictness): ReadTools {
  const list = (body['tools'] ?? []) as readonly unknown[];
  if (list.length > MAX_TOOLS) throw illegal('tools', { zh: `最多 ${MAX_TOOLS} 个`, en: `holds more than ${MAX_TOOLS} entries` });
  const tools: ToolSpec[] = [];
  let webSearch: WebSearch | null = null;
  for (const [index, tool] of list.entries()) {
    const where = `tools[${index}]`;
    const type = isFields(tool) ? tool['type'] : undefined;
    if (!isFields(tool) || typeof type !== 'string' || !takes(model, type, region)) throw illegal(`${where}.type`);
    const inner = tool[type];
    if (!isFields(inner)) throw notReceived(`${where}.${type}`);
    if (type === 'function') tools.push(readFunction(inner, `${where}.function`, strict.fields));
    if (type === 'web_search') webSearch = readWebSearch(inner, `${where}.web_search`, region) ?? webSearch;
    if (type === 'retrieval' && typeof inner['knowledge_id'] !== 'string') throw notReceived(`${where}.retrieval.knowledge_id`);
  }
  return { tools, choice: readChoice(body['tool_choice'], tools, strict.choice), webSearch };
}

function takes(model: ChatModel, type: string, region: string): boolean {
  if (type === 'function') return model.tools !== 'none';
  if (type === 'mcp') return model.tools === 'all' && region === 'cn';
  return (type === 'web_search' || type === 'retrieval') && model.tools === 'all';
}

function readFunction(inner: Fields, where: string, strict: boolean): ToolSpec {
  const { name, description, parameters } = inner;
  if (typeof name !== 'string' || !/^[a-zA-Z0-9_-]{1,64}$/.test(name)) throw illegal(`${where}.name`);
  // The schema requires both; only the strict profile insists, since clients without them were served.
  if (strict && typeof description !== 'string') throw notReceived(`${where}.description`);
  if (strict && parameters === undefined) throw notReceived(`${where}.parameters`);
  if (parameters !== undefined && !isFields(parameters)) {
    throw wrong(`${where}.parameters must be of type object`, `${where}.parameters 的类型应为 object`);
  }
  if (hasTuple(parameters)) throw wrong(`${where}.parameters uses tuple schemas`, `${where}.parameters 含有元组 schema`);
  return { name, parameters: parameters ?? { type: 'object', properties: {} } };
}

const SCHEMA_MAPS = new Set(['properties', '$defs', 'definitions', 'patternProperties', 'dependentSchemas']);
/** Keywords whose values are data, not schemas. */
const DATA = new Set(['enum', 'const', 'default', 'examples', 'example', 'required']);

/** Tuple forms: `items` as a list, `prefixItems`, `additionalItems`. A *property* of such a name is harmless. */
function hasTuple(schema: unknown): boolean {
  if (Array.isArray(schema)) return schema.some(hasTuple);
  if (!isFields(schema)) return false;
  if (Array.isArray(schema['items']) || 'prefixItems' in schema || 'additionalItems' in schema) return true;
  return Object.entries(schema).some(([keyword, value]) => {
    if (DATA.has(keyword)) return false;
    return SCHEMA_MAPS.has(keyword) && isFields(value) ? Object.values(value).some(hasTuple) : hasTuple(value);
  });
}

function readWebSearch(inner: Fields, where: string, region: string): WebSearch | null {
  const { enable, search_engine: engine, count, search_query: query } = inner;
  if (enable !== true) return null;
  if (engine === undefined) throw notReceived(`${where}.search_engine`);
  if (typeof engine !== 'string' || !ENGINES[region]?.has(engine)) throw illegal(`${where}.search_engine`);
  if (count !== undefined && (!Number.isInteger(count) || (count as number) < 1 || (count as number) > 50)) throw illegal(`${where}.count`);
  if (inner['search_result'] === false) return null;
  return { query: typeof query === 'string' ? query : null, count: (count as number | undefined) ?? 10 };
}

/**
 * Documented is the string `auto` only. Models before glm-5.3 were seen to accept a named function; `none` and
 * `required` are taken without effect there. The strict profile refuses all but `auto`.
 */
function readChoice(choice: unknown, tools: readonly ToolSpec[], strict: boolean): ComposeTask['toolChoice'] {
  if (choice === undefined || choice === 'auto') return 'auto';
  if (choice === null) throw wrong('tool_choice must be of type string', 'tool_choice 的类型应为 string');
  if (strict) throw new Refusal('1210', { zh: 'Tool choice must be auto', en: 'Tool choice must be auto' });
  if (choice === 'none' || choice === 'required') return 'auto';
  const target = isFields(choice) && choice['type'] === 'function' ? choice['function'] : undefined;
  const name = isFields(target) ? target['name'] : undefined;
  if (typeof name !== 'string') throw illegal('tool_choice');
  if (!tools.some((tool) => tool.name === name)) throw illegal('tool_choice.function.name');
  return { name };
}
