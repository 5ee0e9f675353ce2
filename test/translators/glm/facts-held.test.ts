/** The vendor's documents from top to bottom: which test holds which fact. What is tested nowhere else: `facts-request.test.ts`, `facts-answer.test.ts`. */
import { describe } from 'vitest';
import { heldElsewhere } from '../held-facts.ts';

describe('addresses and keys', () =>
  heldElsewhere(`
Addresses | bigmodel | translators/regions.test.ts › ['glm', 'cn', 'https://open.bigmodel.cn/api/paas/v4', null]
Addresses | z.ai | translators/regions.test.ts › ['glm', 'intl', 'https://api.z.ai/api/paas/v4', null]
Addresses | coding plans warn | translators/regions.test.ts › 'intl-coding-plan'
Addresses | a wrong path: a framework's 404 without a code | translators/glm/errors.test.ts › 'a wrong path'
Addresses | GET /models is not asked | simulator/glm-http.test.ts › GET /models is a framework’s 404
Keys | of one house only | simulator/glm-auth.test.ts › no key is valid in two regions
Keys | the plain key as bearer | relay/credentials.test.ts › bearer: the key as it is
Keys | or a token of HS256, times in ms | relay/credentials.test.ts › the known token of a known key at a known moment
Keys | 210 s, used for 180 | relay/credentials.test.ts › kept for 180 s of its 210
Keys | no funds: 1113, whatever else it means | translators/glm/errors.test.ts › ['1113', 429, SECRET, CREDIT]
Headers | content types of streams and bodies | simulator/glm-http.test.ts › describe('over the wire'
Headers | no retry-after, no limits | simulator/glm-errors.test.ts › no rate-limit or retry headers ever
Headers | language of refusals | simulator/glm-errors.test.ts › language at %s with Accept-Language %s
Models | another may answer: the caller's name is told | e2e/quirks.test.ts › 'shape value=model to=glm-5.3'
`));

describe('request parameters', () =>
  heldElsewhere(`
do_sample | the switch for a temperature of 0 | translators/glm/request.test.ts › ['temperature 0', { temperature: 0 }, { do_sample: false }
temperature | [0, 1] | translators/glm/request.test.ts › 'temperature above'
temperature | two decimals | translators/glm/request.test.ts › 'temperature with many decimals'
temperature | open interval of the older generation | translators/glm/request.test.ts › 'temperature 1 of glm-4'
top_p | [0.01, 1] | translators/glm/request.test.ts › 'top_p 0'
top_p | open interval of the older generation | translators/glm/request.test.ts › 'top_p 1 of glm-4'
max_tokens | the model's most | translators/glm/request.test.ts › 'max_tokens over the cap'
max_completion_tokens | called max_tokens | translators/glm/request.test.ts › 'max_completion_tokens'
stop | one word | translators/glm/request.test.ts › 'stop of two'
stop | a list | translators/glm/request.test.ts › 'stop as a string'
stop | what it does not take, the relay cuts | e2e/parameters.test.ts › 'four words'
seed | in no schema | translators/glm/request.test.ts › 'seed'
stream_options | no effect: usage is always told | simulator/glm-stream.test.ts › usage comes without being asked for
n | several calls | translators/glm/request.test.ts › 'n 3'
n | indices, usage | e2e/parameters.test.ts › n: %i gives that many choices; the prompt counts once
penalties, logit_bias | in no schema | translators/glm/request.test.ts › 'penalties'
logprobs | refused by name | translators/glm/request-refused.test.ts › ['logprobs'
metadata | refused by the vendor, not sent | translators/glm/request.test.ts › 'metadata'
request_id | 6 to 64, the relay's | translators/glm/request.test.ts › test('request_id'
request_id | another for each of several calls | relay/chat-run-legs.test.ts › each has its own id
request_id | once | simulator/glm-validate.test.ts › a request_id serves once
user_id | 6 to 128 | translators/glm/request.test.ts › describe('ids within the vendor’s bounds'
response_format | json_object on text models | translators/glm/request.test.ts › 'json_object'
response_format | none on vision models | translators/glm/tools.test.ts › no JSON mode on vision model %s
response_format | json_schema: JSON mode, instruction and check | translators/glm/tools.test.ts › json_schema on a text model
response_format | fences are taken off | e2e/json.test.ts › prose and fences around the JSON are taken off
response_format | no JSON: asked once more, then told | e2e/json.test.ts › prose instead of JSON is asked for again
response_format | JSON of another schema, also in a stream | e2e/json.test.ts › JSON of another schema is an error before the answer, or one event at its end
tool_stream | the families that know it, with stream and tools | translators/glm/tools.test.ts › tool_stream of %s: %s
Fields | every one of OpenAI's has a rule | translators/glm/request.test.ts › every field that OpenAI documents has a rule
Fields | nothing undocumented goes out | translators/glm/request-property.test.ts › tool_stream
`));

describe('messages', () =>
  heldElsewhere(`
Roles | no developer | translators/glm/messages.test.ts › 'developer'
Roles | one system message, first | translators/glm/messages.test.ts › 'two system messages'
Roles | a later one moves to the front | translators/glm/messages.test.ts › 'a late system message'
Order | not only a system message | translators/glm/messages.test.ts › 'only system'
Order | not only an assistant's | translators/glm/messages.test.ts › 'only assistant'
Order | no assistant straight after the system | translators/glm/messages.test.ts › 'assistant first'
Content | assistant: not both empty | translators/glm/messages.test.ts › 'an empty assistant message'
Content | "" beside calls | translators/glm/messages.test.ts › 'null content and empty arguments'
Content | lists of tool and assistant vanish: always text | translators/glm/messages.test.ts › 'list contents of assistant and tool'
Content | text parts as a string | translators/glm/messages.test.ts › 'text parts'
Keys | name, refusal, audio, annotations | translators/glm/messages.test.ts › 'keys that go nowhere'
Arguments | JSON text | translators/glm/messages.test.ts › 'arguments that are not JSON'
Thinking of earlier turns | unchanged and in order | translators/glm/messages.test.ts › 'thinking of earlier turns, unchanged'
Thinking of earlier turns | by its other name | translators/glm/messages.test.ts › 'thinking under another name'
Pictures | no detail | translators/glm/messages.test.ts › 'detail of a picture
Pictures | bare base64 on older models | translators/glm/messages.test.ts › 'a data: picture on an old model'
Pictures | URL only on glm-4v-flash | translators/glm/request-refused.test.ts › 'base64 on glm-4v-flash'
Pictures | not on text models | translators/glm/request-refused.test.ts › 'a picture on a text model'
Pictures | not to be fetched: 1210 | translators/glm/errors.test.ts › picture format error
Sound | glm-4-voice | translators/glm/messages.test.ts › 'sound'
Files | z.ai | translators/glm/messages.test.ts › 'a file at z.ai'
`));

describe('functions', () =>
  heldElsewhere(`
tools | description and parameters are required | translators/glm/tools.test.ts › missing description and parameters are filled, strict is dropped
tools | at most 128 | translators/glm/request-refused.test.ts › '129 tools'
tools | no tuple schemas | translators/glm/request-refused.test.ts › 'a tuple schema'
tools | no other types | translators/glm/request-refused.test.ts › 'custom tools'
tools | not on the older vision models | translators/glm/request-refused.test.ts › 'tools on a vision model without them'
tool_choice | auto only | translators/glm/tools.test.ts › 'tool_choice %s'
tool_choice | required, named, none are held to | e2e/tools.test.ts › ['named', { type: 'function', function: { name: 'get_time' } }, ['get_time']]
tool_choice | not called although it must: asked again, then told | e2e/tools.test.ts › a model that will not call although it must is asked again
parallel_tool_calls | the first call only | e2e/tools.test.ts › parallel_tool_calls false: one call
functions, function_call | as tools, and back | translators/glm/tools.test.ts › the deprecated form
mcp | its entries are not calls of the caller's | translators/glm/fixtures/tools-mcp.expected.txt › data:
`));

describe('thinking: a row per family and switch', () =>
  heldElsewhere(`
Always, three efforts | 5.3 | translators/glm/thinking.test.ts › 'glm-5.3 glm-5.3-flash glm-5.3-flashx glm-5.9 glm-6 glm-10-air'
Switch and effort | 5.2 | translators/glm/thinking.test.ts › 'glm-5.2'
Switch | 4.5 to 5.1 | translators/glm/thinking.test.ts › glm-4.7 glm-4.7-flash glm-4.6
Always, no switch | 4.1v, z1 | translators/glm/thinking.test.ts › 'glm-4.1v-thinking-flash glm-z1-air'
None | older | translators/glm/thinking.test.ts › 'glm-4-plus glm-4 glm-4-flash-250414
On by default | the name of an OpenAI model stands for off | translators/glm/thinking.test.ts › what the name of an OpenAI model stands for
On by default | nothing asked, nothing sent | translators/glm/thinking.test.ts › nothing asked, nothing sent
clear_thinking | inside thinking | translators/glm/thinking.test.ts › 'clear_thinking beside'
The vendor's own object | wins | translators/glm/thinking.test.ts › the vendor’s own thinking object
In the text | <think> of z1 | translators/glm/fixtures/z1-thinking.expected.txt › "reasoning_content"
In the text | marks of a box | translators/glm/answer.test.ts › 'boxes'
Nothing left for an answer | length with empty content | translators/glm/fixtures/length.expected.txt › "finish_reason":"length"
`));

describe('answers', () =>
  heldElsewhere(`
Body | keys of every year | e2e/quirks.test.ts › ['glm', 'profile value=old']
Body | ids of calls are opaque | translators/glm/fixtures/whole-tools.expected.txt › "tool_calls"
Body | arguments as an object | translators/glm/fixtures/whole-tools-object.expected.txt › "arguments":"
Body | content as a list | translators/glm/fixtures/whole-content-array.expected.txt › "content":"
Body | no completion_tokens_details on older models | translators/glm/fixtures/whole-old-model.expected.txt › "reasoning_tokens":0
Streams | role on every text delta: told once | translators/glm/fixtures/plain.expected.txt › "role":"assistant"
Streams | no finish_reason key before the end | translators/glm/fixtures/plain.sse › "finish_reason":"stop"
Streams | usage on the finish chunk: told apart | translators/glm/fixtures/plain.expected.txt › "choices":[],"usage":
Streams | a first chunk with a newline | translators/glm/fixtures/newline-first.expected.txt › data:
Streams | [DONE] forgotten | translators/glm/fixtures/no-done.expected.txt › [DONE]
Streams | CRLF, comments, no space | translators/glm/fixtures/crlf-comments.expected.txt › data:
Streams | characters split between reads | translators/glm/fixtures/multibyte.expected.txt › data:
Streams | broken JSON is no answer | translators/glm/answer.test.ts › ['malformed', 'upstream_invalid_response', undefined, true]
Streams | cut anywhere: never whole | translators/glm/answer.test.ts › cut anywhere, never looks whole
Functions in streams | whole | translators/glm/fixtures/tools-whole.expected.txt › "tool_calls"
Functions in streams | in pieces | translators/glm/fixtures/tools-fragments.expected.txt › "tool_calls"
Functions in streams | id on every piece | e2e/quirks.test.ts › 'tool-args value=dup-id'
Functions in streams | last piece on the finish chunk | e2e/quirks.test.ts › 'tool-args value=last-on-finish'
finish_reason | sensitive: what was said is withdrawn | translators/glm/answer.test.ts › what the audit withdraws is not shown
finish_reason | network_error is no finish | translators/glm/answer.test.ts › ['network-error', 'upstream_truncated', 'network_error', true]
finish_reason | model_context_window_exceeded | translators/glm/answer.test.ts › ['model_context_window_exceeded', 'length']
finish_reason | tool_calls and no call | translators/glm/fixtures/tools-none-came.expected.txt › "finish_reason":"stop"
finish_reason | any other word | translators/glm/answer.test.ts › ['anything_else', 'stop']
finish_reason | none | e2e/quirks.test.ts › ['glm', 'finish value=null', 'upstream_truncated']
`));

describe('errors, lists, limits', () =>
  heldElsewhere(`
Envelope | digits as text or number, nested or flat, in HTTP 200 | translators/glm/errors.test.ts › const envelopes
Envelope | each over the wire | e2e/error-codes.test.ts › a GLM refusal in the form of %s is read all the same
Envelope | contentFilter beside it | translators/glm/errors.test.ts › 'a sibling filter'
Codes | every one has its meaning | translators/glm/errors.test.ts › every code of the vendor’s list is in the table above
Codes | every one from end to end | e2e/error-codes.test.ts › the table is complete
Codes | z.ai says 1214 for a model it has not | translators/glm/errors.test.ts › ['1214', 'model does not exist', MODEL]
Codes | the field is read from the text | translators/glm/errors.test.ts › 'messages[5].content[1].type type error'
Codes | no words of the vendor's for a 5xx | translators/glm/errors.test.ts › expect(shown).not.toContain('4711')
Status | 434, 435 | translators/glm/errors.test.ts › 'a large file', 435
In a stream | an error frame, an event, JSON, a close, a finish word | e2e/quirks.test.ts › 'mid-error after=3 form=event'
In a stream | before anything was shown: a status | e2e/quirks.test.ts › 'form value=json code=1261'
Limits | requests in flight, refused at once with 1302 | simulator/glm-http.test.ts › the busy key refuses the second with 1302
Embeddings | 64 a call; embedding-2 bounded in tokens | translators/embeddings.test.ts › embedding-2 has a bound of tokens too
Embeddings | base64 is made by the relay | translators/embeddings.test.ts › nothing more is sent than the vendor documents
Rerank | 128 documents | translators/rerank.test.ts › more than it takes go in several calls
Context | refused before anyone is paid | e2e/context-length.test.ts › a prompt beyond the context is refused
Silence | minutes of it are borne, then 504 | e2e/silence.test.ts › 504 after firstByteMs
`));
