import { call, type KnownRequest } from './known-clients.ts';

const two = [call('call_1', 'read_file', '{}'), call('call_2', 'read_file', '{}')];
/** What OpenAI refuses is refused here too, in its words, although some other servers let it pass. */
export const REFUSED_REQUESTS: readonly (KnownRequest & { readonly param: string; readonly code: string | null })[] = [
  {
    client: 'a chat UI',
    what: 'an empty list of calls in the conversation',
    body: { messages: [{ role: 'assistant', content: 'One.', tool_calls: [] }] },
    param: 'messages[0].tool_calls',
    code: 'empty_array',
  },
  {
    client: 'a chat UI',
    what: 'no limit written as -1',
    body: { messages: [{ role: 'user', content: 'Hi' }], max_tokens: -1 },
    param: 'max_tokens',
    code: 'integer_below_min_value',
  },
  {
    client: 'a chat UI',
    what: 'usage asked for without a stream',
    body: { messages: [{ role: 'user', content: 'Hi' }], stream: false, stream_options: { include_usage: true } },
    param: 'stream_options',
    code: null,
  },
  {
    client: 'an agent',
    what: 'a call whose result has been lost',
    body: {
      messages: [
        { role: 'user', content: 'Go' },
        { role: 'assistant', content: null, tool_calls: two },
        { role: 'tool', tool_call_id: 'call_1', content: 'a' },
        { role: 'user', content: 'And?' },
      ],
    },
    param: 'messages',
    code: null,
  },
  {
    client: 'an agent',
    what: 'a result whose call has been cut from the conversation',
    body: {
      messages: [
        { role: 'tool', tool_call_id: 'call_1', content: 'a' },
        { role: 'user', content: 'And?' },
      ],
    },
    param: 'messages.[0].role',
    code: null,
  },
];
