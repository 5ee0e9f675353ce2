import type { Citation } from '../../openai/chat/events.ts';
import type { Draft } from '../compatible/draft.ts';
import { isObject } from '../compatible/read-wire.ts';
import type { WireAnswer } from '../compatible/wire.ts';

/** The cheapest engine of each house; one has to be named. */
const ENGINES = { cn: 'search_std', intl: 'search_pro_jina' } as const;

/**
 * OpenAI's `web_search_options` as the vendor's own tool. Models that see have no tools but functions, whatever a list says. z.ai can be told to
 * search before every answer, as OpenAI does; bigmodel searches when it thinks it useful.
 */
export function carrySearch(draft: Draft): void {
  const { request, receipt, body, facts, target } = draft;
  const asked = request.web_search_options;
  if (asked === undefined) return;
  if (facts.webSearch !== true || facts.vision === true) {
    receipt.note('web_search_options', 'dropped', 'the model is not known to search the web', { alters: true });
    return;
  }
  const house = target.region.startsWith('intl') ? 'intl' : 'cn';
  receipt.note('web_search_options', 'renamed', 'the backend has a tool for it', { to: 'tools[web_search]' });
  const { search_context_size: size, ...rest } = asked;
  for (const key of Object.keys(rest))
    receipt.note(`web_search_options.${key}`, 'dropped', 'the backend has nothing like it', { alters: true });
  if (size === 'low') receipt.note('web_search_options.search_context_size', 'clamped', 'the least the backend knows', { to: 'medium' });
  const search = {
    enable: true,
    search_engine: ENGINES[house],
    search_result: true,
    ...(house === 'intl' ? { require_search: true } : {}),
    ...(size === undefined ? {} : { content_size: size === 'high' ? 'high' : 'medium' }),
  };
  const functions = (body['tools'] ?? []) as readonly unknown[];
  body['tools'] = [...functions, { type: 'web_search', web_search: search }];
}

/** The pages of an answer, on whatever chunk they stand; `refer` is the word by which the text may cite one. */
export function citations({ web_search: results }: WireAnswer): Citation[] | null {
  if (!Array.isArray(results)) return null;
  return results.filter(isObject).flatMap(({ refer, title, link }) => {
    if (typeof link !== 'string' || !/^https?:/i.test(link)) return [];
    return [{ url: link, title: typeof title === 'string' ? title : '', mark: typeof refer === 'string' ? `[${refer}]` : null }];
  });
}
