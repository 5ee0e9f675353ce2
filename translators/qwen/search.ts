import type { Draft } from '../compatible/draft.ts';

/** How a text cites a source. Not the vendor's default `[1]`, which is also how code and footnotes look. */
export const citationMark = (number: string): string => `[ref_${number}]`;

/** Options that ask for sources, which only the native protocol tells. */
const SOURCES: readonly string[] = ['enable_source', 'enable_citation', 'citation_format', 'prepend_search_result'];

/**
 * Web search: OpenAI's `web_search_options`, or DashScope's own `enable_search` and `search_options`, which win. OpenAI searches before every
 * answer, DashScope when the model thinks it useful, unless it is forced to.
 *
 * @param sources whether the protocol can name the pages an answer rests on
 */
export function carrySearch(draft: Draft, sources: boolean): void {
  const { request, receipt, body, facts } = draft;
  const own = ownSwitch(draft);
  const asked = request.web_search_options;
  const options = ownOptions(draft, sources);
  // The vendor refuses the switch on models without a search. A caller who knows it may know the model too, where the relay does not.
  const can = own === true ? facts.webSearch !== false : facts.webSearch === true;
  if (own === false || !can || (own === undefined && asked === undefined)) {
    const reason = own === false ? 'enable_search says not to search' : 'the model is not known to search the web';
    if (own === true) receipt.note('enable_search', 'dropped', reason, { alters: true });
    else if (own === false && facts.webSearch !== false) body['enable_search'] = false;
    if (asked !== undefined) receipt.note('web_search_options', 'dropped', reason, { alters: true });
    if (options !== null) receipt.note('search_options', 'dropped', 'nothing is searched', { alters: own === true });
    return;
  }
  body['enable_search'] = true;
  const sent = {
    ...(asked === undefined ? {} : carryAsked(draft, asked, sources)),
    ...(sources ? { enable_source: true } : {}),
    ...options,
  };
  if (Object.keys(sent).length > 0) body['search_options'] = sent;
}

/** OpenAI's options in DashScope's words. */
function carryAsked({ receipt }: Draft, asked: Readonly<Record<string, unknown>>, sources: boolean): Record<string, unknown> {
  const field = 'web_search_options';
  if (sources) receipt.note(field, 'renamed', 'the backend has a switch for it', { to: 'enable_search=true' });
  else
    receipt.note(field, 'emulated', 'the backend searches, but its compatible protocol names no sources: there will be no annotations', {
      to: 'enable_search=true',
      alters: true,
    });
  const { search_context_size: size, ...rest } = asked;
  for (const key of Object.keys(rest)) receipt.note(`${field}.${key}`, 'dropped', 'the backend has nothing like it', { alters: true });
  return {
    forced_search: true,
    ...(size === 'high' ? { search_strategy: 'max' } : {}),
    ...(sources ? { enable_citation: true, citation_format: citationMark('<number>') } : {}),
  };
}

function ownSwitch({ request, receipt }: Draft): boolean | undefined {
  const value = request['enable_search'];
  if (value === undefined || typeof value === 'boolean') return value;
  return receipt.refuse('enable_search', "Invalid type for 'enable_search': expected a boolean.", 'unsupported_value');
}

/** `search_options` as sent; null = none. Without what the protocol does not know. */
function ownOptions({ request, receipt }: Draft, sources: boolean): Record<string, unknown> | null {
  const value = request['search_options'];
  if (value === undefined) return null;
  if (value === null || typeof value !== 'object' || Array.isArray(value))
    return receipt.refuse('search_options', "Invalid type for 'search_options': expected an object.", 'unsupported_value');
  const entries = Object.entries(value).filter(([key]) => {
    if (sources || !SOURCES.includes(key)) return true;
    receipt.note(`search_options.${key}`, 'dropped', 'the compatible protocol of the backend names no sources', { alters: true });
    return false;
  });
  return Object.fromEntries(entries);
}
