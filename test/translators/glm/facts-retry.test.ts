/** The vendor's business codes: whether the same key, or another backend, may help. */
import { expect, test } from 'vitest';
import { glmV4 } from '../../../translators/glm/v4.ts';
import { judged } from '../failures-judged.ts';

/** [what it means, codes, the same backend again, another] */
test.each<[string, string, boolean, boolean]>([
  ['failed inside, in passing', '500 1120 1200 1230 1234', true, true],
  ['slow down', '1302 1303', true, true],
  ['this model is out of breath', '1305 1312', true, true],
  ['held back for its manner of use', '1313', false, true],
  ['the key', '1000 1001 1002 1003 1004 1005', false, true],
  ['the account', '1100 1110 1111 1112 1121 1220', false, true],
  ['no money', '1113 1309', false, true],
  ['caps that last for hours', '1304 1308 1310 1314 1315 1316 1317 1318 1319 1320 1321', false, true],
  ['the model', '1211 1212 1221 1222 1311', false, true],
  ['a longer context may take it', '1261', false, true],
  ['the request', '1210 1213 1214 1215', false, false],
  ['no dodging of moderation', '1300 1301', false, false],
  ['a request_id used twice: another has its own', '1231', false, true],
])('%s: %s: again %s, another %s', (_what, codes, again, another) => {
  for (const code of codes.split(' '))
    expect([code, judged(glmV4, 400, { error: { code, message: 'x' } })]).toEqual([code, { again, another }]);
});

test('inference that broke off before anything was shown: another', () => {
  const events = { text() {}, reasoning() {}, tool() {}, args() {}, citations() {}, finish() {}, usage() {} };
  const frame = { choices: [{ index: 0, finish_reason: 'network_error', delta: { role: 'assistant', content: '' } }] };
  expect(() => glmV4.frames(events).frame(JSON.stringify(frame))).toThrow(
    expect.objectContaining({ kind: 'upstream_truncated', details: expect.objectContaining({ fallback: true }) }),
  );
});
