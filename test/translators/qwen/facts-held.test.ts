/**
 * The vendor's documents from top to bottom: which test holds which fact. What is tested nowhere else: `facts-models.test.ts`, `facts-request.test.ts`,
 * `facts-retry.test.ts`; the codes of the error pages, one by one: `error-rows.ts`.
 */
import { describe } from 'vitest';
import { heldElsewhere } from '../held-facts.ts';

describe('addresses, keys and headers', () =>
  heldElsewhere(`
Base URLs | shared hosts of both protocols | translators/regions.test.ts › ['qwen', 'cn-beijing', 'https://dashscope.aliyuncs.com/compatible-mode/v1'
Base URLs | Singapore | translators/regions.test.ts › 'https://dashscope-intl.aliyuncs.com/compatible-mode/v1'
Base URLs | Virginia | translators/regions.test.ts › 'https://dashscope-us.aliyuncs.com/compatible-mode/v1'
Base URLs | workspace hosts, in regions without a shared one too | translators/regions.test.ts › no region of the code is missing in the table, but those whose addresses are per workspace
Base URLs | plans have keys and hosts of their own, and no native protocol | translators/regions.test.ts › 'cn-beijing-token-plan'
Keys | of one region | simulator/qwen-faults.test.ts › a Singapore key works in Singapore
Keys | a plan key elsewhere | translators/qwen/error-rows.ts › Coding Plan is currently only available for Coding Agents
Keys | limits are the account's | simulator/qwen-faults.test.ts › keys of one account share them, models do not
Headers | only the relay's own are sent | relay/backend-client.test.ts › what is sent: path, key, body, and nothing else
Headers | no compression on streams is asked for | relay/backend-client.test.ts › a compressed answer comes as the bytes it is
Headers | the call's id is kept with the attempt | e2e/vendor-signals.test.ts › has the name that the vendor gave the call
Headers | account limits that leak go no further | simulator/qwen-chat.test.ts › row 28: headers that must not leak further are there
Headers | a burst waits at the server where it is offered | simulator/qwen-faults.test.ts › a burst is absorbed when the caller offers to wait
`));

describe('compatible protocol: request', () =>
  heldElsewhere(`
model | missing | translators/qwen/error-rows.ts › you must provide a model parameter
stream_options | asked for on every stream | translators/qwen/request.test.ts › asked for without usage
temperature | [0, 2) | translators/qwen/request.test.ts › temperature at the top
top_p | (0, 1] | translators/qwen/request.test.ts › top_p of zero
frequency_penalty | not in the reference | translators/qwen/request.test.ts › frequency_penalty of zero
logit_bias | not in the reference | translators/qwen/request.test.ts › logit_bias, empty
max_tokens | bounds the answer alone | translators/qwen/token-limits.test.ts › the answer alone
max_completion_tokens | bounds thinking too, where it is known | translators/qwen/token-limits.test.ts › one bound for both
max_completion_tokens | split where it is not | translators/qwen/token-limits.test.ts › split around a budget
max_completion_tokens | no budget beside an effort in words | translators/qwen/token-limits.test.ts › an effort in words has no budget beside it
seed | 31 bits | translators/qwen/request.test.ts › seed just outside
seed | 63 bits, of which JSON keeps 53, on the native protocol | translators/qwen/native/request.test.ts › seed
stop | an answer is cut as OpenAI cuts it | e2e/parameters.test.ts › stop: %s
n | indices and usage of several calls | e2e/parameters.test.ts › n: %i gives that many choices; the prompt counts once
top_logprobs | at most five | translators/qwen/request.test.ts › top_logprobs above five
logprobs | go with the text that is let through | e2e/logprobs.test.ts › JSON after prose
user, store, metadata, service_tier … | not in the reference | translators/qwen/request.test.ts › ['safety_identifier'
enable_search, search_options | sent; what names sources only on the native protocol | translators/qwen/search.test.ts › own options that ask for sources
web_search_options | the vendor's switch | translators/qwen/search.test.ts › a large context
Fields | nothing undocumented goes out, nothing refused together | translators/qwen/property.test.ts › any request becomes one that the vendor takes, or a refusal by name
Fields | the strict profile of the simulator takes what is sent | translators/qwen/simulator.test.ts › strict
thinking_budget | excludes reasoning_effort | translators/qwen/thinking.test.ts › a budget and an effort where both have a name
thinking_budget | up to the model's most | translators/qwen/thinking.test.ts › a budget above the most
reasoning_effort | words of Qwen3.8 | translators/qwen/thinking.test.ts › 'qwen3.8-flash'
reasoning_effort | words of hosted models | translators/qwen/thinking.test.ts › 'deepseek-v4-pro'
preserve_thinking | reasoning in history is used | translators/qwen/messages.test.ts › all of it where the client says so
`));

describe('compatible protocol: messages', () =>
  heldElsewhere(`
Roles | developer is system | translators/qwen/messages.test.ts › developer and system are one message
Roles | system first | translators/qwen/messages.test.ts › a late system message
Order | ends with a user or a tool | translators/qwen/messages.test.ts › an answer at the end is continued
Order | a user is needed | translators/qwen/messages.test.ts › nothing but an empty user message
Content | text parts as a string | translators/qwen/messages.test.ts › text parts are one string
Content | a mark of the cache keeps its part | translators/qwen/messages.test.ts › parts with a mark of the cache stay
Content | a refusal | translators/qwen/messages.test.ts › a refusal is a content
Images | URL or data URL, bounds and marks | translators/qwen/messages.test.ts › an image with its bounds and mark
Images | detail is one switch for all | translators/qwen/messages.test.ts › detail high is a switch for all images
Images | not of text models | translators/qwen/messages.test.ts › an image of a text model
Audio | a data URL, unlike OpenAI's | translators/qwen/messages.test.ts › a voice that is a data URL
Audio | not of models that do not hear | translators/qwen/messages.test.ts › a voice of a model that does not hear
Files | refused by name | translators/qwen/messages.test.ts › ['a file'
Tools | each call is answered, each answer has a call | openai/check-messages.test.ts › tool_call
Tools | the name search is refused | translators/qwen/request.test.ts › a function called search
Tools | parallel calls are off by default | translators/qwen/request.test.ts › parallel unless said
Tools | forced calls exclude thinking | translators/qwen/request.test.ts › a forced call switches thinking off
Tools | forced calls of models that always think | translators/qwen/request.test.ts › a model that always thinks is told
Tools | no call where one must come: asked again, then told | e2e/tools.test.ts › a model that will not call although it must is asked again
partial | excludes thinking | translators/qwen/thinking.test.ts › switches thinking off
Length | beyond the context: refused before anyone is paid, or a longer one answers | e2e/context-length.test.ts › a candidate with a longer context answers
`));

describe('compatible protocol: structured output', () =>
  heldElsewhere(`
json_object | the word must be said | translators/qwen/format.test.ts › the word that the backend wants is said where it is missing
json_object | excludes thinking | translators/qwen/format.test.ts › json_object switches thinking off
json_schema | on some models, without uniqueItems | translators/qwen/format.test.ts › native without uniqueItems, which the relay checks
json_schema | JSON mode, instruction and check on others | translators/qwen/format.test.ts › emulated by JSON mode where there is no more
json_schema | words where the model always thinks | translators/qwen/format.test.ts › emulated by words where the model always thinks
JSON modes | fences and prose are taken off | e2e/json.test.ts › prose and fences around the JSON are taken off, streamed: %s
JSON modes | another schema is an error, in a stream too | e2e/json.test.ts › JSON of another schema is an error
JSON modes | asked once more | e2e/json.test.ts › prose instead of JSON is asked for again
`));

describe('compatible protocol: answers', () =>
  heldElsewhere(`
Whole | content "" beside calls is null | translators/qwen/fixtures/whole-tools.expected.txt › "content":null
Whole | calls have no index | translators/qwen/fixtures/whole-tools.expected.txt › "tool_calls":[{"id"
Whole | reasoning and its tokens | translators/qwen/fixtures/whole-thinking.expected.txt › "reasoning_content"
Stream | order of frames | simulator/qwen-chat.test.ts › order of the frames; usage only when asked
Stream | fragments with id "" | translators/qwen/answer.test.ts › ['tools', [['call_8d1f0a2b3c4d5e6f70819203', 'get_weather'
Stream | arguments in a delta without a finish key | translators/qwen/answer.test.ts › 'tools-trailing-arguments'
Stream | whole arguments behind an empty beginning | translators/qwen/answer.test.ts › 'tools-trailing-empty-object'
Stream | the id repeated, name "" | translators/qwen/answer.test.ts › 'tools-repeated-id'
Stream | name null | translators/qwen/answer.test.ts › 'tools-name-null'
Stream | a call as text is passed as it is | translators/qwen/fixtures/tool-as-text.expected.txt › <tool_call>
Stream | usage without being asked | translators/qwen/answer.test.ts › usageOf('usage-every-frame')
Stream | no [DONE] | translators/qwen/fixtures/no-done.expected.txt › [DONE]
Stream | bytes split anywhere | translators/qwen/answer.test.ts › is the same when bytes arrive %i at a time
Stream | ends without a finish: an error, never a whole answer | translators/qwen/answer.test.ts › cut anywhere, never looks whole
Stream | moderation in the middle | translators/qwen/answer.test.ts › ['moderation-midway', 'content_filter'
finish_reason | calls with stop | translators/qwen/answer.test.ts › 'tools-stop'
finish_reason | an unknown word | translators/qwen/answer.test.ts › ['unknown-finish'
Cache | cached tokens | translators/qwen/answer.test.ts › usageOf('cached')
`));

describe('native protocol', () =>
  heldElsewhere(`
Paths | by what a model sees or hears | translators/qwen/native/request.test.ts › ['qwen3.8-flash', MULTIMODAL]
Paths | the wrong one | translators/qwen/error-rows.ts › url error, please check url！
Request | parts of one key | translators/qwen/native/messages.test.ts › text on the multimodal path
Request | result_format and incremental_output are always said | translators/qwen/native/property.test.ts › ['incremental_output']).toBe(native.stream
Request | a stream by header | simulator/qwen-native.test.ts › a stream is asked for by a header, by either of two, and not by the body
Answer | old models answer in text | translators/qwen/native/fixtures/whole-text-format.expected.txt › "content"
Answer | content as a list | translators/qwen/native/fixtures/whole-multimodal.expected.txt › "content"
Answer | search_info is annotations | translators/qwen/search.test.ts › come before the finish, at their marks
Stream | the word "null" | translators/qwen/native/fixtures/null-finish.expected.txt › "finish_reason":"stop"
Stream | no blank lines | translators/qwen/native/fixtures/plain-no-blank-lines.expected.txt › [DONE]
Stream | usage on every event, {} on the first of a search | translators/qwen/native/fixtures/search.expected.txt › "prompt_tokens":18
Stream | errors inside HTTP 200, their status in a comment | translators/qwen/native/answer.test.ts › inside a stream
Stream | the first event may be a refusal: another backend answers | e2e/native-wire.test.ts › a refusal in the first event lets the next backend answer
Stream | an event under a status of its own | e2e/error-codes.test.ts › as an event under its own status is read all the same
`));

describe('embeddings and rerank', () =>
  heldElsewhere(`
Embeddings | rows of a call | translators/embeddings.test.ts › ['qwen', 'qwen3.7-text-embedding', 20]
Embeddings | sizes | translators/embeddings.test.ts › ['qwen', 'text-embedding-v4', 3072, '400 unsupported_value dimensions']
Embeddings | floats only: base64 is made by the relay | e2e/embeddings.test.ts › it asks for base64 and gets the vendor’s numbers
Embeddings | no token arrays | translators/embeddings.test.ts › tokens are refused by name
Rerank | another base | translators/rerank.test.ts › '/../../compatible-api/v1/reranks'
Rerank | the query counts for each document | translators/rerank.test.ts › Qwen counts the query once for each document
`));

describe('errors and time', () =>
  heldElsewhere(`
Bodies | all envelopes | translators/qwen/errors.test.ts › 'native stream'
Bodies | data: before a refusal | translators/qwen/errors.test.ts › stream: (code, message)
Bodies | a gateway's page | translators/qwen/errors.test.ts › HTML of a gateway
Codes | insufficient_quota is a limit of tokens | translators/qwen/error-rows.ts › [429, 'insufficient_quota', 'You exceeded your current quota, please check your plan and billing details.', TOKENS]
Codes | Arrearage is an empty purse, with 400 | translators/qwen/error-rows.ts › 'Arrearage'
Codes | <400> inside a 500 is the caller's | translators/qwen/error-rows.ts › [500, 'InternalError.Algo', '<400> InternalError.Algo.InvalidParameter: The temperature is wrong'
Codes | none of the vendor's words goes out | translators/qwen/errors.test.ts › Callers of a failed backend do not learn its words
Time | silence before and within a stream | e2e/silence.test.ts › a stream that is silent but alive gets comments
Time | the caller leaves: the call is closed | e2e/abort.test.ts › the vendor’s call is closed and the use is noted
Retired models | skipped, their replacement named | e2e/retirement.test.ts › replacement
`));
