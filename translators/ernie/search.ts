import type { Citation } from '../../openai/chat/events.ts';
import type { Draft } from '../compatible/draft.ts';
import { isObject } from '../compatible/read-wire.ts';
import type { WireAnswer } from '../compatible/wire.ts';

const SWITCHES = ['enable', 'enable_citation', 'enable_trace'];
const COUNTS = ['search_number', 'reference_number'];
const MAX_PAGES = 28;

/**
 * Web search: OpenAI's `web_search_options`, or Qianfan's own `web_search`, which wins. Without `enable_citation` no mark in the text says which
 * page it rests on, without `enable_trace` the pages are not told. `enable_status` is never sent: it puts frames into the stream that are no
 * part of the answer. ERNIE searches when it thinks it useful; forcing it is for models of other makers.
 */
export function carrySearch(draft: Draft): void {
  const { request, receipt, body, facts } = draft;
  const asked = request.web_search_options;
  const own = request['web_search'];
  if (own !== undefined) {
    body['web_search'] = ownSearch(draft, own);
    if (asked !== undefined) receipt.note('web_search_options', 'dropped', 'web_search was sent too and wins');
    return;
  }
  if (asked === undefined) return;
  if (facts.webSearch !== true) {
    receipt.note('web_search_options', 'dropped', 'the model is not known to search the web', { alters: true });
    return;
  }
  receipt.note('web_search_options', 'renamed', 'the backend has a switch for it', { to: 'web_search.enable=true' });
  for (const key of Object.keys(asked)) {
    const usual = key === 'search_context_size' && asked[key] === 'medium';
    if (!usual) receipt.note(`web_search_options.${key}`, 'dropped', 'the backend has nothing like it', { alters: true });
  }
  // Marks within or behind JSON would spoil it.
  const json = request.response_format !== undefined && request.response_format.type !== 'text';
  body['web_search'] = { enable: true, enable_citation: !json, enable_trace: true };
}

/** Qianfan's own object, checked: what it would refuse is refused here, by name. */
function ownSearch({ receipt, facts }: Draft, value: unknown): Record<string, unknown> {
  const refuse = (field: string, expected: string): never =>
    receipt.refuse(field, `Invalid '${field}': expected ${expected}.`, 'unsupported_value');
  if (!isObject(value)) return refuse('web_search', 'an object');
  const sent: Record<string, unknown> = {};
  for (const [key, entry] of Object.entries(value)) {
    const field = `web_search.${key}`;
    if (SWITCHES.includes(key)) {
      if (typeof entry !== 'boolean') refuse(field, 'true or false');
    } else if (COUNTS.includes(key)) {
      if (!(Number.isInteger(entry) && (entry as number) >= 1 && (entry as number) <= MAX_PAGES))
        refuse(field, `an integer from 1 to ${MAX_PAGES}`);
    } else if (key !== 'search_mode') {
      receipt.note(field, 'dropped', 'the relay does not carry it');
      continue;
    } else if (entry !== 'auto' && entry !== 'required') refuse(field, "'auto' or 'required'");
    // Ids in lower case are those of Baidu's own models.
    else if (facts.rules.lowerCaseId) {
      receipt.note(field, 'dropped', 'ERNIE decides by itself when to search', { alters: entry === 'required' });
      continue;
    }
    sent[key] = entry;
  }
  const { search_number: fetched, reference_number: quoted } = sent;
  if (typeof fetched === 'number' && typeof quoted === 'number' && quoted > fetched)
    refuse('web_search.reference_number', 'no more than search_number');
  return sent;
}

/** The pages of an answer; the text cites them as `^[1]^`. */
export function citations({ search_results: results }: WireAnswer): Citation[] | null {
  if (!Array.isArray(results)) return null;
  return results.filter(isObject).flatMap(({ index, url, title }) => {
    if (typeof url !== 'string' || !/^https?:/i.test(url)) return [];
    return [{ url, title: typeof title === 'string' ? title : '', mark: Number.isInteger(index) ? `[${index}]` : null }];
  });
}
