import { describe, expect, test } from 'vitest';
import { refusal, translator } from './lists.ts';

type Row = [what: string, status: number, body: unknown, expected: string];

const qwen = (code: string, message: string) => ({ error: { message, type: code, param: null, code }, id: 'x', request_id: 'x' });
const ernie = (code: string, message: string) => ({ error: { code, message, type: 'invalid_request_error' }, id: 'as-1' });
const glm = (code: string, message: string) => ({ error: { code, message } });

const QWEN: Row[] = [
  [
    'too many texts',
    400,
    qwen(
      'InvalidParameter',
      '<400> InternalError.Algo.InvalidParameter: Value error, batch size is invalid, it should not be larger than 10.: input.contents',
    ),
    '400 invalid_value input',
  ],
  [
    'tokens',
    400,
    qwen(
      'InvalidParameter',
      '<400> InternalError.Algo.InvalidParameter: Value error, contents is neither str nor list of str.: input.contents',
    ),
    '400 invalid_value input',
  ],
  [
    'a size it does not have',
    400,
    qwen(
      'InvalidParameter',
      '<400> InternalError.Algo.InvalidParameter: Value error, dimension should be one of [1024, 512].: parameters.dimension',
    ),
    '400 invalid_value dimensions',
  ],
  [
    'a text that is too long',
    400,
    qwen('InvalidParameter', '<400> InternalError.Algo.InvalidParameter: Range of input length should be [1, 8192]'),
    '400 context_length_exceeded input',
  ],
  ['moderation', 400, qwen('data_inspection_failed', 'Input data may contain inappropriate content.'), '400 content_filter input'],
  ['a rate limit', 429, qwen('limit_requests', 'You exceeded your current requests list.'), '429 rate_limit_exceeded -'],
  ['no money', 400, qwen('Arrearage', 'Access denied, account overdue.'), '503 upstream_out_of_credit -'],
  ['our key', 401, qwen('invalid_api_key', 'Incorrect API key provided.'), '502 upstream_auth -'],
  ['no such model', 404, qwen('model_not_found', 'The model `x` does not exist.'), '502 upstream_model_unavailable -'],
  ['overload', 503, qwen('ModelServingError', 'Too many requests.'), '503 upstream_overloaded -'],
];

const ERNIE: Row[] = [
  ['too many texts', 400, ernie('invalid_argument', 'the max length of input is 16'), '400 invalid_value input'],
  ['an empty text', 400, ernie('invalid_argument', 'the item of input cannot be empty'), '400 invalid_value input'],
  ['characters', 400, ernie('characters_too_long', 'the max input characters is 1000'), '400 context_length_exceeded input'],
  ['tokens', 400, ernie('tokens_too_long', 'the input is too long'), '400 context_length_exceeded input'],
  ['the dimensions', 400, ernie('invalid_argument', 'dimensions is not supported'), '400 invalid_value dimensions'],
  ['moderation', 403, { error: { code: 'unsafe', type: 'unsafe_request', message: 'no' } }, '400 content_filter input'],
  ['a rate limit', 429, ernie('rpm_rate_limit_exceeded', 'Rate limit reached for RPM'), '429 rate_limit_exceeded -'],
  ['an error inside HTTP 200', 200, ernie('internal_error', 'Internal error'), '503 upstream_overloaded -'],
  ['our key', 401, ernie('invalid_iam_token', 'IAM token invalid'), '502 upstream_auth -'],
  ['a retired model', 403, ernie('model_offline', 'gone'), '502 upstream_model_unavailable -'],
];

const GLM: Row[] = [
  ['too many texts', 400, glm('1214', 'input数组最多 64 条'), '400 invalid_value input'],
  ['an empty text', 400, glm('1213', 'input[2]不能为空'), '400 missing_required_parameter input[2]'],
  ['the dimensions', 400, glm('1214', 'dimensions参数非法'), '400 invalid_value dimensions'],
  ['a text that is too long', 400, glm('1261', 'Prompt 超长'), '400 context_length_exceeded input'],
  ['moderation', 400, glm('1301', '系统检测到输入或生成内容可能包含不安全或敏感内容'), '400 content_filter input'],
  ['a rate limit', 429, glm('1302', '您的账户已达到速率限制'), '429 rate_limit_exceeded -'],
  ['no money', 429, glm('1113', '您的账户已欠费'), '503 upstream_out_of_credit -'],
  ['overload', 429, glm('1305', '模型当前访问量过大'), '503 upstream_overloaded -'],
  ['our key', 401, glm('1000', '身份验证失败'), '502 upstream_auth -'],
  ['a model of another kind', 400, glm('1212', '当前模型不支持该调用方式'), '502 upstream_model_unavailable -'],
];

describe.each([
  ['qwen', QWEN],
  ['ernie', ERNIE],
  ['glm', GLM],
])('%s', (vendor, rows) => {
  test.each(rows)('%s', (_, status, body, expected) => expect(refusal('embedding', vendor, status, body)).toBe(expected));

  test('a gateway’s page is no answer', () => {
    const error = translator('embedding', vendor).failure({ status: 502, headers: {}, body: '<html>' }, { from: 0, to: 1 });
    expect(error.status).toBeGreaterThanOrEqual(502);
    expect(error.message).not.toContain('html');
  });
});

describe('positions are those of the whole request', () => {
  test('one that the vendor names', () => {
    const error = translator('embedding', 'glm').failure(
      { status: 400, headers: {}, body: JSON.stringify(glm('1213', 'input[2]不能为空')) },
      { from: 64, to: 128 },
    );
    expect(error.details.param).toBe('input[66]');
    expect(error.message).toBe('input[66]不能为空');
  });

  test('the only one of its call', () => {
    expect(refusal('embedding', 'ernie', 400, ernie('tokens_too_long', 'too long'), { from: 7, to: 8 })).toBe(
      '400 context_length_exceeded input[7]',
    );
    expect(refusal('embedding', 'ernie', 400, ernie('tokens_too_long', 'too long'), { from: 0, to: 1 })).toBe(
      '400 context_length_exceeded input',
    );
  });

  test('of documents', () => {
    expect(refusal('rerank', 'glm', 400, glm('1214', 'documents[3]参数非法'), { from: 128, to: 256 })).toBe(
      '400 invalid_value documents[131]',
    );
    expect(refusal('rerank', 'ernie', 400, ernie('invalid_argument', 'the max length of query is 1600'))).toBe('400 invalid_value query');
    expect(refusal('rerank', 'glm', 400, glm('1214', 'top_n参数非法'))).toBe('400 invalid_value top_n');
  });
});
