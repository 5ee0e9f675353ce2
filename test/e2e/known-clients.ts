/**
 * Requests as well-known programs send them: the fields that a program of OpenAI's own would not use, and the way they keep a
 * conversation. Texts are ours. `model` is added by the test.
 */
export interface KnownRequest {
  readonly client: string;
  /** What is particular about it. */
  readonly what: string;
  readonly body: Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** The answer calls this function instead of writing. */
  readonly calls?: string;
  /** The answer must hold this text. */
  readonly says?: string;
}

const fn = (name: string, more: Record<string, unknown> = {}, beside: Record<string, unknown> = {}) => ({
  type: 'function',
  function: { name, description: `Does ${name}`, parameters: { type: 'object', properties: { path: { type: 'string' } } }, ...more },
  ...beside,
});
export const call = (id: string, name: string, args: string, more: Record<string, unknown> = {}) => ({
  id,
  type: 'function',
  function: { name, arguments: args },
  ...more,
});
const system = { role: 'system', content: 'You are a careful assistant.' };
const ECHO = '[[sim:echo]] the last word';
const says = 'the last word';

const OPEN_WEBUI: readonly KnownRequest[] = [
  {
    client: 'Open WebUI',
    what: 'a chat without tools sends an empty list of them',
    body: { stream: true, stream_options: { include_usage: true }, messages: [system, { role: 'user', content: ECHO }], tools: [] },
    headers: { 'x-openwebui-user-name': 'ann', 'x-openwebui-chat-id': '7d1f' },
    says,
  },
  {
    client: 'Open WebUI',
    what: 'the task that names a chat',
    body: { stream: false, max_completion_tokens: 1000, messages: [{ role: 'user', content: `${ECHO} as JSON {"title": "…"}` }] },
    says,
  },
  {
    client: 'Open WebUI',
    what: 'native function calling, with the results of the last round',
    body: {
      stream: true,
      messages: [
        system,
        { role: 'user', content: 'Look it up' },
        { role: 'assistant', content: '', tool_calls: [{ index: 0, ...call('call_1', 'query_knowledge', '{"path":"a"}') }] },
        { role: 'tool', tool_call_id: 'call_1', content: 'found: the last word' },
      ],
      tools: [fn('query_knowledge')],
    },
    says,
  },
];

const LOBE_CHAT: readonly KnownRequest[] = [
  {
    client: 'LobeChat',
    what: 'all sampling fields at once, and an end user',
    body: {
      stream: true,
      stream_options: { include_usage: true },
      temperature: 1,
      top_p: 1,
      presence_penalty: 0,
      frequency_penalty: 0,
      user: 'user_2ab',
      messages: [system, { role: 'user', content: [{ type: 'text', text: ECHO }] }],
    },
    says,
  },
  {
    client: 'LobeChat',
    what: 'functions of its plugins, with four underscores in their names',
    body: {
      stream: true,
      messages: [{ role: 'user', content: 'Please [[sim:call name=lobe-web-browsing____crawl____builtin args={"path":"a"}]]' }],
      tools: [fn('lobe-web-browsing____crawl____builtin'), fn('lobe-local-system____read____builtin')],
    },
    calls: 'lobe-web-browsing____crawl____builtin',
  },
  {
    client: 'LobeChat',
    what: 'results of functions with a name, and thinking kept in the conversation',
    body: {
      stream: true,
      messages: [
        { role: 'user', content: 'Crawl' },
        { role: 'assistant', content: '', reasoning_content: 'I should crawl.', tool_calls: [call('c1', 'crawl____builtin', '{}')] },
        { role: 'tool', tool_call_id: 'c1', name: 'crawl____builtin', content: 'page: the last word' },
      ],
      tools: [fn('crawl____builtin')],
    },
    says,
  },
];

const cached = { cache_control: { type: 'ephemeral' } };
const AGENTS: readonly KnownRequest[] = [
  {
    client: 'qwen-code',
    what: 'cache marks on parts and tools, the session in metadata, a vendor field, headers of the vendor',
    body: {
      stream: true,
      stream_options: { include_usage: true },
      temperature: 0,
      max_tokens: 2048,
      metadata: { sessionId: '5a1c-77', promptId: '5a1c-77########1' },
      preserve_thinking: true,
      messages: [
        { role: 'system', content: [{ type: 'text', text: 'You are a coding agent.', ...cached }] },
        { role: 'user', content: [{ type: 'text', text: 'Here is the folder.' }] },
        { role: 'assistant', content: 'Got it.' },
        { role: 'user', content: [{ type: 'text', text: ECHO, ...cached }] },
      ],
      tools: [fn('read_file'), fn('run_shell_command', {}, cached)],
    },
    headers: { 'x-dashscope-cachecontrol': 'enable', 'x-dashscope-useragent': 'QwenCode/0.20.0 (linux; x64)' },
    says,
  },
  {
    client: 'qwen-code',
    what: 'calls with content null, results as parts, a function without parameters',
    body: {
      stream: true,
      messages: [
        { role: 'system', content: 'You are a coding agent.' },
        { role: 'user', content: 'List and read' },
        {
          role: 'assistant',
          content: null,
          tool_calls: [call('call_a', 'list_directory', '{"path":"."}'), call('call_b', 'todo_write', '{}')],
        },
        { role: 'tool', tool_call_id: 'call_b', content: [{ type: 'text', text: 'noted' }] },
        { role: 'tool', tool_call_id: 'call_a', content: [{ type: 'text', text: 'a.ts: the last word' }] },
      ],
      tools: [fn('list_directory'), { type: 'function', function: { name: 'todo_write', description: 'Notes' } }],
    },
    says,
  },
  {
    client: 'codex, chat mode',
    what: 'one assistant message for each call, each with its result behind it, and strict false',
    body: {
      stream: true,
      stream_options: { include_usage: true },
      messages: [
        { role: 'system', content: 'You are a coding agent.' },
        { role: 'user', content: '<environment_context>cwd</environment_context>' },
        { role: 'user', content: 'Look' },
        { role: 'assistant', content: 'I will look.' },
        { role: 'assistant', content: null, tool_calls: [call('call_1', 'shell', '{"command":["ls"]}')] },
        { role: 'tool', tool_call_id: 'call_1', content: '{"output":"a","metadata":{"exit_code":0}}' },
        { role: 'assistant', content: null, tool_calls: [call('call_2', 'shell', '{"command":["cat","a"]}')] },
        { role: 'tool', tool_call_id: 'call_2', content: 'the last word' },
      ],
      tools: [
        fn('shell', {
          strict: false,
          parameters: {
            type: 'object',
            properties: { command: { type: 'array', items: { type: 'string' } }, timeout_ms: { type: 'number' } },
            required: ['command'],
            additionalProperties: false,
          },
        }),
      ],
    },
    headers: { accept: 'text/event-stream', 'user-agent': 'codex_cli_rs/0.80.0' },
    says,
  },
  {
    client: 'an agent in an editor',
    what: 'two limits at once, temperature 0, one call at a time',
    body: {
      stream: true,
      stream_options: { include_usage: true },
      temperature: 0,
      max_tokens: 4096,
      max_completion_tokens: 4096,
      parallel_tool_calls: false,
      tool_choice: 'auto',
      messages: [system, { role: 'user', content: '[[sim:call name=read_file args={"path":"a"}]]' }],
      tools: [fn('read_file')],
    },
    calls: 'read_file',
  },
];

const LIBRARIES: readonly KnownRequest[] = [
  {
    client: 'a typed client',
    what: 'every field that is not set as null',
    body: {
      messages: [{ role: 'user', content: ECHO, name: null }],
      ...Object.fromEntries(
        [
          'stream',
          'stream_options',
          'temperature',
          'top_p',
          'n',
          'stop',
          'max_tokens',
          'max_completion_tokens',
          'presence_penalty',
          'frequency_penalty',
          'logit_bias',
          'logprobs',
          'top_logprobs',
          'user',
          'seed',
          'tools',
          'tool_choice',
          'parallel_tool_calls',
          'response_format',
          'functions',
          'function_call',
          'reasoning_effort',
          'service_tier',
          'store',
          'metadata',
        ].map((field) => [field, null]),
      ),
    },
    says,
  },
  {
    client: 'a typed client',
    what: 'defaults written out',
    body: {
      messages: [{ role: 'user', content: ECHO }],
      ...{ n: 1, stream: false, logit_bias: {}, logprobs: false, response_format: { type: 'text' }, service_tier: 'auto', store: false },
      ...{ metadata: {}, user: '', tool_choice: 'none' },
    },
    says,
  },
  {
    client: 'a program of an SDK',
    what: 'the SDK’s own answer sent back as it came: nulls, empty lists, parsed values',
    body: {
      messages: [
        { role: 'user', content: 'Begin' },
        { role: 'assistant', content: 'One.', refusal: null, annotations: [], audio: null, function_call: null, tool_calls: null },
        { role: 'user', content: 'Go on' },
        {
          role: 'assistant',
          content: null,
          refusal: null,
          annotations: [],
          parsed: null,
          tool_calls: [
            {
              id: 'call_1',
              type: 'function',
              function: { name: 'read_file', arguments: '{"path":"a"}', parsed_arguments: { path: 'a' } },
            },
          ],
        },
        { role: 'tool', tool_call_id: 'call_1', content: 'the last word' },
      ],
      tools: [fn('read_file')],
    },
    says,
  },
  {
    client: 'a program of June 2024',
    what: 'deprecated functions with their results',
    body: {
      functions: [fn('read_file').function],
      messages: [
        { role: 'user', content: 'Read' },
        { role: 'assistant', content: null, function_call: { name: 'read_file', arguments: '{"path":"a"}' } },
        { role: 'function', name: 'read_file', content: 'the last word' },
      ],
    },
    says,
  },
];

export const KNOWN_REQUESTS: readonly KnownRequest[] = [...OPEN_WEBUI, ...LOBE_CHAT, ...AGENTS, ...LIBRARIES];
