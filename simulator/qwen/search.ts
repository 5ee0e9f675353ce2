import type { Composition } from '../kernel/types.ts';
import { invalid, invalidInside } from './errors.ts';
import { given, isObject, type JsonObject } from './json.ts';
import type { ChatModel } from './models.ts';
import { readBoolean } from './sampling.ts';

/** What was asked of the web (Qwen: web search; DashScope reference for what only the native protocol has). */
export interface Search {
  readonly strategy: string;
  /** Native: the answer names its pages. */
  readonly source: boolean;
  /** Native: how the text cites page `<number>`; null = not. */
  readonly citation: string | null;
}

/** Options of the native protocol; compatible mode ignores them as a rule and refuses them in the strict profile. */
const NATIVE_OPTIONS = ['enable_source', 'enable_citation', 'citation_format', 'prepend_search_result'];
const OPTIONS = ['forced_search', 'search_strategy', 'enable_search_extension', 'freshness', 'assigned_site_list', 'intention_options'];
const STRATEGIES = ['turbo', 'max', 'agent', 'agent_max', 'standard', 'pro'];

/** Null when nothing is searched. @throws Refusal 400 */
export function readSearch(body: JsonObject, model: ChatModel, native: boolean, strict: boolean): Search | null {
  const options = given(body, 'search_options') ?? {};
  if (!isObject(options)) throw invalid('Input should be a valid dictionary: search_options');
  const known = native ? [...OPTIONS, ...NATIVE_OPTIONS] : OPTIONS;
  const unknown = Object.keys(options).find((name) => !known.includes(name));
  if (strict && unknown !== undefined)
    throw invalid(`Additional properties are not allowed ('${unknown}' was unexpected) - 'search_options'`);
  const strategy = given(options, 'search_strategy') ?? 'turbo';
  if (typeof strategy !== 'string' || !STRATEGIES.includes(strategy))
    throw invalid('Input should be a known strategy: search_options.search_strategy');
  const format = given(options, 'citation_format') ?? '[<number>]';
  if (format !== '[<number>]' && format !== '[ref_<number>]')
    throw invalid("Input should be '[<number>]' or '[ref_<number>]': search_options.citation_format");
  const source = native && readBoolean(options, 'enable_source') === true;
  const cites = source && readBoolean(options, 'enable_citation') === true;
  readBoolean(options, 'forced_search');
  if (readBoolean(body, 'enable_search') !== true) return null;
  if (!model.search) throw invalidInside('This model does not support enable_search.');
  return { strategy, source, citation: cites ? format : null };
}

/** The pages every search brings. */
export const searchResults = (): readonly Record<string, unknown>[] =>
  [1, 2].map((index) => ({
    index,
    title: `Simulated page ${index}`,
    url: `https://pages.example/${index}`,
    site_name: 'Simulated site',
    icon: '',
  }));

/** A text that ends by itself cites its first page at the end. */
export function cited(choice: Composition, search: Search | null, countTokens: (text: string) => number): Composition {
  if (search === null || search.citation === null || choice.finish !== 'stop') return choice;
  const mark = search.citation.replace('<number>', '1');
  return { ...choice, content: choice.content + mark, contentTokens: choice.contentTokens + countTokens(mark) };
}
