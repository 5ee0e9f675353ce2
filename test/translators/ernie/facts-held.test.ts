/** Qianfan's documents from top to bottom: which test holds which fact. What is tested nowhere else: `facts-request.test.ts`, `facts-answer.test.ts`. */
import { describe } from 'vitest';
import { heldElsewhere } from '../held-facts.ts';

describe('addresses and keys', () =>
  heldElsewhere(`
Addresses | the base URL holds the version | translators/regions.test.ts › ['ernie', 'cn', 'https://qianfan.baidubce.com/v2', null]
Addresses | the token plan warns: its keys are for coding tools | translators/regions.test.ts › 'cn-token-plan'
Addresses | a path below /v1 is a flat 403 | simulator/ernie-errors.test.ts › '/v2/v1/chat/completions'
Addresses | the first interface is refused when the file is read | config/messages.test.ts › 'an interface that is off'
Keys | wrong key: 401 invalid_iam_token | simulator/ernie-errors.test.ts › invalid_iam_token
Keys | GET /models without a key: flat 403 | simulator/ernie-endpoints.test.ts › key %s: flat 403
Keys | appid of the application | relay/backend-client.test.ts › 'as a key of its own'
Keys | key and application in one text | relay/backend-client.test.ts › 'behind the key'
Keys | wrong application: 401 invalid_appid | translators/ernie/errors.test.ts › code: 'invalid_appid'
Keys | X-Request-Id is the relay's | relay/backend-client.test.ts › 'x-request-id: req_1'
Keys | X-Baidu-Request-Id is kept with the attempt | relay/vendor-signals.test.ts › 'Qianfan: its own id, not ours come back'
Short-term bearer | signature, lifetime, range | simulator/ernie-endpoints.test.ts › describe('short-term bearer'
Short-term bearer | the relay does not fetch one and says so | config/messages.test.ts › 'key pair'
`));

describe('request parameters', () =>
  heldElsewhere(`
model | empty: 400 invalid_model | translators/ernie/errors.test.ts › text: 'model is empty'
model | unknown: 401 invalid_model | translators/ernie/errors.test.ts › text: 'No permission to use the model'
model | lower case for Baidu's own | translators/ernie/request.test.ts › 'ERNIE ids in lower case'
model | other makers' as typed | translators/ernie/request.test.ts › 'other ids as typed'
stream_options | include_usage with every stream | translators/ernie/request.test.ts › 'stream options'
stream_options | never without a stream | translators/ernie/request.test.ts › stream: false, stream_options: undefined
temperature | 0 is excluded on ERNIE | translators/ernie/request.test.ts › 'temperature 0'
temperature | most 1 on ERNIE | translators/ernie/request.test.ts › 'temperature 1.5'
temperature | most 2 elsewhere | translators/ernie/request.test.ts › 'temperature 1.5, of a guest'
top_p | [0, 1] | translators/ernie/request.test.ts › 'top_p 0'
penalty_score | [1, 2] | translators/ernie/refusal.test.ts › ['penalty_score'
penalty_score | not on X1 | translators/ernie/request.test.ts › 'penalty_score of X1'
frequency_penalty, presence_penalty | [-2, 2] | translators/ernie/request.test.ts › 'penalties'
repetition_penalty | (0, 2] | translators/ernie/refusal.test.ts › ['repetition_penalty'
max_tokens | least 2, health probes send 1 | translators/ernie/request.test.ts › 'max_tokens 1'
max_tokens | least 1 on 5.x | translators/ernie/request.test.ts › 'max_tokens 1, of 5.x'
max_tokens | the model's most | translators/ernie/request.test.ts › 'max_tokens above the most'
max_completion_tokens | bounds thinking too, and wins | translators/ernie/request.test.ts › 'both token limits'
max_completion_tokens | sent for max_tokens where a model thinks | translators/ernie/request.test.ts › 'max_tokens while thinking'
seed | 0 excluded | translators/ernie/request.test.ts › 'seed 0'
seed | 2147483647 excluded | translators/ernie/request.test.ts › 'seed too large'
seed | not on X1 | translators/ernie/request.test.ts › 'seed of X1'
seed | not on Qwen2.5 | translators/ernie/request.test.ts › 'seed of Qwen2.5'
stop | a list | translators/ernie/request.test.ts › 'stop word'
stop | 4 | translators/ernie/request.test.ts › 'stop words'
stop | of 20 characters | translators/ernie/request.test.ts › 'stop word of 21'
stop | not on X1 | translators/ernie/request.test.ts › 'stop word of X1'
stop | what it does not take, the relay cuts | e2e/parameters.test.ts › 'a long word'
tools | type, function, name, description, parameters | translators/ernie/request.test.ts › 'bare tool'
tools | no strict | translators/ernie/request.test.ts › 'strict tool'
tools | no other types | translators/ernie/refusal.test.ts › 'custom tool'
tool_choice | none | translators/ernie/request.test.ts › 'tool_choice none'
tool_choice | auto | translators/ernie/request.test.ts › 'tool_choice auto'
tool_choice | required | translators/ernie/request.test.ts › 'tool_choice required'
tool_choice | a function | translators/ernie/request.test.ts › 'tool_choice named'
tool_choice | held to whatever the vendor does | e2e/tools.test.ts › ['required', 'required', ['get_weather']]
parallel_tool_calls | a switch, and held to | e2e/tools.test.ts › parallel_tool_calls false: one call
response_format | json_object | translators/ernie/request.test.ts › 'json_object'
response_format | not on X1 | translators/ernie/request.test.ts › 'json_object of X1'
response_format | json_schema where the list says so | translators/ernie/request.test.ts › 'json_schema where known'
response_format | json_schema elsewhere: instruction and check | translators/ernie/request.test.ts › the schema is told to the model
response_format | prose after the JSON is taken off | e2e/json.test.ts › prose and fences around the JSON are taken off
response_format | no JSON: asked once more, then told | e2e/json.test.ts › prose instead of JSON is asked for again
response_format | JSON of another schema, also in a stream | e2e/json.test.ts › JSON of another schema is an error before the answer, or one event at its end
user | the end-user's id | translators/ernie/request.test.ts › 'user of 65'
metadata | stays in the house | translators/ernie/request.test.ts › 'metadata'
thinking_budget | at least 100 | translators/ernie/refusal.test.ts › ['thinking_budget'
thinking_strategy | two words | translators/ernie/refusal.test.ts › ['thinking_strategy'
n | one choice a call: several calls | e2e/parameters.test.ts › n: %i gives that many choices; the prompt counts once
logprobs | none | translators/ernie/request.test.ts › 'logprobs'
logit_bias | none | translators/ernie/request.test.ts › 'logit_bias'
functions, function_call | as tools, and back | translators/ernie/request.test.ts › 'functions'
modalities, audio | text only | translators/ernie/refusal.test.ts › ['modalities'
Fields | every one of OpenAI's has a rule | translators/ernie/request.test.ts › every documented field has a rule
Fields | nothing undocumented goes out | translators/ernie/property.test.ts › const ALLOWED
Sampling of other makers | Kimi's own only | translators/ernie/request.test.ts › 'temperature, fixed'
`));

describe('messages', () =>
  heldElsewhere(`
Roles | no developer | translators/ernie/messages.test.ts › 'developer is system'
Roles | one system message, first | translators/ernie/messages.test.ts › 'one system message, first'
Roles | the deprecated function is a tool | translators/ernie/messages.test.ts › 'deprecated call'
Content | not empty | translators/ernie/messages.test.ts › 'empty user message'
Content | of the last message not blank | translators/ernie/messages.test.ts › 'blank last message'
Content | a tab is no blank | translators/ernie/messages.test.ts › 'tab is no blank'
Content | "" beside calls | translators/ernie/messages.test.ts › 'calls and results'
Content | text parts as a string | translators/ernie/messages.test.ts › 'text parts'
Order | user and assistant in turn | translators/ernie/messages.test.ts › 'two of a user'
Order | in turn for whatever comes | translators/ernie/property.test.ts › text keeps to the order that ERNIE of 2025 wanted
Order | a user first | translators/ernie/messages.test.ts › 'assistant first'
Order | a user or tool last | translators/ernie/messages.test.ts › 'assistant last'
Order | not only a system message | translators/ernie/messages.test.ts › 'only a system message'
Results | of a call that stands before | openai/check-messages.test.ts › tool_call_id
Results | several stay apart | translators/ernie/messages.test.ts › 'calls and results'
Arguments | JSON text | translators/ernie/messages.test.ts › 'arguments that are no JSON'
Names | of users only | translators/ernie/messages.test.ts › 'name of the assistant'
Thinking of earlier turns | left out on ERNIE | translators/ernie/messages.test.ts › 'thinking of earlier turns'
Thinking of earlier turns | kept between calls elsewhere | translators/ernie/messages.test.ts › 'thinking between calls, of a guest'
Pictures | detail on 4.5 | translators/ernie/messages.test.ts › 'detail'
Pictures | no detail elsewhere | translators/ernie/messages.test.ts › 'detail of others'
Pictures | URLs of up to 1024 bytes | translators/ernie/messages.test.ts › 1024 bytes of URL are not too long
Pictures | data URLs | translators/ernie/messages.test.ts › 'image as data'
Pictures | not on text models | translators/ernie/messages.test.ts › 'image on a text model'
Pictures | from 5 to 5999 px, at most 10 MB | simulator/ernie-validate.test.ts › 'side of 6000 px'
Sound, files | nowhere | translators/ernie/messages.test.ts › ['sound'
`));

describe('answers', () =>
  heldElsewhere(`
Body | ids of the relay's, the name that was asked for | e2e/quirks.test.ts › 'model-echo value=somebody-else'
Body | object chat.completion in chunks | e2e/quirks.test.ts › 'object value=chat.completion'
finish_reason | normal, function_call, "" and null | translators/ernie/answer.test.ts › describe('finish words'
finish_reason | need_clear_history | translators/ernie/answer.test.ts › need_clear_history ends the choice as flag 2 does
finish_reason | is_end alone | translators/ernie/answer.test.ts › a stream that ends by is_end alone
finish_reason | stop although functions are called | translators/ernie/answer.test.ts › %s with a call → tool_calls
flag | 0 to 4, as number and as text | translators/ernie/answer.test.ts › flag %j: text shown %s, %s
flag | mid-stream: nothing after it, usage counts | translators/ernie/answer.test.ts › a mark without a finish word ends the choice
flag | end to end | e2e/quirks.test.ts › ['ernie', 'flag value=4', 'content_filter']
Streams | role first, finish on the last text, usage apart | translators/ernie/fixtures/plain.expected.txt › "role":"assistant"
Streams | older scheme: no role, zero usage, is_end | translators/ernie/fixtures/older-scheme.expected.txt › "finish_reason":"stop"
Streams | usage on the finishing frame | translators/ernie/fixtures/usage-on-finish.expected.txt › "prompt_tokens":
Streams | usage on every frame: the last counts | translators/ernie/fixtures/usage-cumulative.expected.txt › "prompt_tokens":
Streams | usage never: estimated, never 0 | e2e/quirks.test.ts › a vendor that tells no usage is counted by estimate
Streams | keep-alive comments, CRLF, no space | translators/ernie/fixtures/crlf-comments.sse › : keep-alive
Streams | event lines | e2e/quirks.test.ts › ['ernie', 'event-line']
Streams | text behind [DONE] | e2e/quirks.test.ts › ['ernie', 'done-tail']
Streams | JSON instead of a stream | e2e/quirks.test.ts › a stream asked for and a whole answer given is told as a stream
Streams | cut anywhere: never whole | translators/ernie/answer.test.ts › cut anywhere, never looks whole
Errors in a stream | a data frame | e2e/quirks.test.ts › 'mid-error after=3 as=data'
Errors in a stream | a bare line | e2e/quirks.test.ts › 'mid-error after=3 as=bare'
Errors in a stream | the connection closes | e2e/quirks.test.ts › 'mid-error after=3 as=close'
Errors in a stream | before the first frame: a status | e2e/quirks.test.ts › 'mid-error after=0 as=bare'
Functions | 32 hex digits of id, kept | translators/ernie/fixtures/tool-whole.expected.txt › "tool_calls"
Functions | arguments in pieces | translators/ernie/fixtures/tool-split.expected.txt › "tool_calls"
Functions | no index | e2e/quirks.test.ts › 'tool-args value=split, tool-index value=missing'
Functions | content "" is null in a whole answer | translators/ernie/fixtures/whole-tools.expected.txt › "content":null
Thinking | reasoning_content first | translators/ernie/fixtures/thinking.expected.txt › "reasoning_content"
Thinking | nothing left for an answer: length | translators/ernie/fixtures/thinking-length.expected.txt › "finish_reason":"length"
Rate headers | counts are kept with the attempt | relay/vendor-signals.test.ts › 'Qianfan’s limits'
`));

describe('thinking: a row per family and switch', () =>
  heldElsewhere(`
enable_thinking and budget | 5.0-thinking | translators/ernie/thinking.test.ts › ['ernie-5.0-thinking-latest', enable(null, null, 2048, 8192, 16_384, 16_384, 16_384)]
enable_thinking and budget | qwen3 | translators/ernie/thinking.test.ts › ['qwen3-32b', enable(null, null, 2048, 8192, 16_384, 16_384, 16_384)]
enable_thinking | 5.0 | translators/ernie/thinking.test.ts › ['ernie-5.0', enable(
enable_thinking | 4.5 with pictures | translators/ernie/thinking.test.ts › ['ernie-4.5-turbo-vl-32k-preview', enable(
thinking.type | deepseek-v3.2, kimi-k2.5, glm | translators/ernie/thinking.test.ts › ['kimi-k2.5', [OFF, OFF, ON
thinking.type and budget | deepseek-v3.1 | translators/ernie/thinking.test.ts › ['deepseek-v3.1-250821', [OFF, OFF,
thinking.type and effort | deepseek-v4 | translators/ernie/thinking.test.ts › ['deepseek-v4-pro', [OFF, OFF,
Always, with a budget | deepseek-r1 | translators/ernie/thinking.test.ts › ['deepseek-r1', [{}, {},
Always | X1 | translators/ernie/thinking.test.ts › ['ernie-x1-turbo-32k', same({})]
None | 4.5 turbo | translators/ernie/thinking.test.ts › ['ernie-4.5-turbo-128k', same({})]
No switch documented | 5.1, 5.5-flash | translators/ernie/thinking.test.ts › ['ernie-5.5-flash-preview', same({})]
Default | said openly where there is a switch | translators/ernie/thinking.test.ts › describe('nothing asked'
Default | the name of an OpenAI model stands for one | e2e/reasoning.test.ts › behind the name %s the model thinks: %s
Budget | leaves room for the answer | translators/ernie/thinking.test.ts › a bound on all tokens leaves room for the answer
Collected | a caller who does not stream gets the stream in one | translators/ernie/thinking.test.ts › 'stream=emulated'
`));

describe('errors, lists, limits', () =>
  heldElsewhere(`
Envelope | code, message, type; no param: read from the text | translators/ernie/errors.test.ts › param: 'max_completion_tokens'
Envelope | flat, HTTP 200, headers alone, a page | translators/ernie/errors.test.ts › describe('envelopes'
Envelope | each over the wire | e2e/error-codes.test.ts › an Ernie refusal in the form of %s is read all the same
Codes | every one has its meaning | translators/ernie/errors.test.ts › every code of the table has a row above
Codes | every one from end to end | e2e/error-codes.test.ts › the table is complete
Codes | both spellings of the image service | translators/ernie/errors.test.ts › code: 'image_genration_interal_error'
Moderation | input: never another vendor | translators/ernie/errors.test.ts › code: 'system_unsafe'
Limits | the window ends within 60 s, told by nobody | translators/ernie/errors.test.ts › retryAfterMs: 30_000
Limits | Baidu's own capacity is no limit of the account | translators/ernie/errors.test.ts › code: 'cluster_rate_limit_exceeded'
Limits | limits fall when a pack ends | simulator/ernie-endpoints.test.ts › limits fall when a pack ends
Retirement | model_offline | translators/ernie/errors.test.ts › code: 'model_offline'
Retirement | the replacement is named | e2e/retirement.test.ts › a request for a retired model is told so, and what to ask for
Embeddings | 16 a call, tao-8k one | translators/embeddings.test.ts › describe('texts a call'
Embeddings | characters a text | translators/embeddings.test.ts › describe('characters'
Embeddings | no dimensions, no tokens, floats | translators/embeddings.test.ts › tokens are refused by name
Rerank | 64 documents, lengths | translators/rerank.test.ts › Ernie reads a beginning only
Context | refused before anyone is paid | e2e/context-length.test.ts › a prompt beyond the context is refused
`));
