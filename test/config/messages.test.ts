// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are references of the configuration, not templates
import { describe, expect, test } from 'vitest';
import { ENV, GOOD, problemsOf } from './setup.ts';

/** Each bad file and the first line it gets. The message is the contract: what was wrong, where, what to do. */
const start = (expected: string) => `estafet.yaml${expected.startsWith(' ') ? '' : ':'}${expected}`;
const backend = (text: string) => `backends:\n  b: ${text}\n`;
const team = (text: string) => `${GOOD.replace('t: { permit: { vendors: [qwen], regions: ["*"] } }', `t: ${text}`)}`;
const key = (text: string) => GOOD.replace(/ {2}- .*\n/, `  - ${text}\n`);

describe('values', () => {
  test.each([
    ['nothing in it', 'server: {}\n', '  backends: at least one backend is required'],
    ['a slip in a section', 'sevrer: {}\n', '1:1  sevrer: unknown key, did you mean "server"?'],
    [
      'a slip in a key',
      backend('{ vender: qwen, vendor: qwen, apiKey: env:QWEN_KEY }'),
      '2:8  backends.b.vender: unknown key, did you mean "vendor"?',
    ],
    ['snake case', backend('{ vendor: qwen, api_key: env:QWEN_KEY }'), '2:22  backends.b.api_key: unknown key, did you mean "apiKey"?'],
    ['a foreign key', 'server: { zzz: 1 }', '1:11  server.zzz: unknown key; the keys here are: host, port, workers, maxBodyBytes'],
    ['a key of Object.prototype', 'server: { constructor: 1 }', '1:11  server.constructor: unknown key; the keys here are: '],
    ['missing key', backend('{ apiKey: env:QWEN_KEY }'), '2:3  backends.b.vendor: is required'],
    ['nothing written', 'server: { port: }', '1:17  server.port: must be a number, but is empty'],
    ['text for a number', 'server: { port: "80" }', '1:17  server.port: must be a number, not text'],
    ['a decimal', 'server: { port: 80.5 }', '1:17  server.port: must be a whole number, not a number with decimals'],
    [
      'infinite',
      team('{ limits: { budget: { amount: .inf, currency: CNY, per: day } } }'),
      '4:36  teams.t.limits.budget.amount: must be a number, not infinite',
    ],
    ['too small', 'server: { port: -1 }', '1:17  server.port: must be at least 0'],
    ['too large', 'server: { port: 65536 }', '1:17  server.port: must be at most 65535'],
    ['longer than a timer', 'server: { heartbeatMs: 2147483648 }', '1:24  server.heartbeatMs: must be at most 2147483647'],
    ['host with port', 'server: { host: "127.0.0.1:80" }', '1:17  server.host: must be an IP address or a host name, without a port'],
    ['half an address', 'server: { host: 127.0.0 }', '1:17  server.host: must be an IP address or a host name, without a port'],
    [
      'headers after the request',
      `server: { headersTimeoutMs: 9000, requestTimeoutMs: 8000 }\n${GOOD}`,
      '1:29  server.headersTimeoutMs: must be at most requestTimeoutMs, which is 8000',
    ],
    ['a list for a mapping', 'backends: []', '1:11  backends: must be a mapping, not a list'],
    [
      'a bad backend name',
      'backends: { "a/b": { vendor: qwen, apiKey: env:QWEN_KEY } }',
      '1:13  backends.a/b: must be a name of 1 to 64 letters',
    ],
    [
      'wrong word',
      backend('{ vendor: qwne, apiKey: env:QWEN_KEY }'),
      '2:16  backends.b.vendor: "qwne" is not one of qwen, ernie, glm, did you mean "qwen"?',
    ],
    [
      'a literal secret',
      backend('{ vendor: qwen, apiKey: sk-live-0815 }'),
      '2:30  backends.b.apiKey: a secret must not be written into the file: write ${NAME} or env:NAME for an environment variable, or file:/path',
    ],
    [
      'text around a reference',
      backend('{ vendor: qwen, apiKey: "Bearer ${QWEN_KEY}" }'),
      '2:30  backends.b.apiKey: a secret must not be written into the file',
    ],
    ['unset variable', backend('{ vendor: qwen, apiKey: ${NOPE} }'), '2:30  backends.b.apiKey: environment variable NOPE is not set'],
    [
      'a name of Object.prototype',
      backend('{ vendor: qwen, apiKey: env:toString }'),
      '2:30  backends.b.apiKey: environment variable toString is not set',
    ],
    ['empty variable', backend('{ vendor: qwen, apiKey: env:EMPTY }'), '2:30  backends.b.apiKey: environment variable EMPTY is empty'],
    [
      'variable with a space',
      backend('{ vendor: qwen, apiKey: env:SPACED }'),
      '2:30  backends.b.apiKey: environment variable SPACED holds a space, a line break or a character outside ASCII',
    ],
    [
      'missing file',
      backend('{ vendor: qwen, apiKey: "file:/run/none" }'),
      '2:30  backends.b.apiKey: secret file /run/none cannot be read: no such file',
    ],
    ['no credential', backend('{ vendor: qwen }'), '2:3  backends.b.apiKey: is required'],
    [
      'one key and several',
      backend('{ vendor: qwen, apiKey: env:QWEN_KEY, apiKeys: [env:QWEN_KEY] }'),
      '2:44  backends.b.apiKeys: cannot be combined with apiKey; remove one of them',
    ],
    [
      'one of several that is not there',
      backend('{ vendor: qwen, apiKeys: [env:QWEN_KEY, env:NOPE] }'),
      '2:46  backends.b.apiKeys[1]: environment variable NOPE is not set',
    ],
    [
      'key pair',
      backend('{ vendor: ernie, accessKey: env:QWEN_KEY, secretKey: env:GLM_KEY }'),
      '2:23  backends.b.accessKey: accessKey and secretKey are not supported yet; use apiKey',
    ],
    [
      'key pair beside a key',
      backend('{ vendor: ernie, apiKey: env:QWEN_KEY, secretKey: env:GLM_KEY }'),
      '2:45  backends.b.secretKey: accessKey and secretKey are not supported yet; use apiKey',
    ],
    [
      'key pair of a vendor without',
      backend('{ vendor: glm, accessKey: env:GLM_KEY }'),
      '2:21  backends.b.accessKey: vendor glm has no accessKey and secretKey; use apiKey',
    ],
    [
      'appId elsewhere',
      backend('{ vendor: qwen, apiKey: env:QWEN_KEY, appId: app-1 }'),
      '2:44  backends.b.appId: vendor qwen has no appId',
    ],
    [
      'an application beside another behind the key',
      backend('{ vendor: ernie, apiKey: env:APP_IN_KEY, appId: app-1 }'),
      '2:47  backends.b.appId: differs from the application after the | of the key',
    ],
    [
      'an interface that is off',
      backend('{ vendor: ernie, apiKey: env:QWEN_KEY, baseUrl: "https://aip.baidubce.com/rpc/2.0/ai_custom/v1/wenxinworkshop" }'),
      '2:54  backends.b.baseUrl: is an interface that the vendor has switched off; use https://qianfan.baidubce.com/v2',
    ],
    [
      'jwt elsewhere',
      backend('{ vendor: qwen, apiKey: env:QWEN_KEY, auth: jwt }'),
      '2:50  backends.b.auth: vendor qwen does not accept a JWT; use bearer',
    ],
    [
      'unknown region',
      backend('{ vendor: glm, apiKey: env:GLM_KEY, region: us }'),
      '2:50  backends.b.region: vendor glm has no region "us"; it has: cn, intl, cn-coding-plan, intl-coding-plan (for any other, set baseUrl)',
    ],
    [
      'region called like a method',
      backend('{ vendor: glm, apiKey: env:GLM_KEY, region: constructor }'),
      '2:50  backends.b.region: vendor glm has no region "constructor"',
    ],
    [
      'workspace elsewhere',
      backend('{ vendor: glm, apiKey: env:GLM_KEY, workspace: llm-1 }'),
      '2:42  backends.b.workspace: vendor glm has no workspaces',
    ],
    [
      'workspace of a plan',
      backend('{ vendor: qwen, apiKey: env:QWEN_KEY, region: cn-beijing-token-plan, workspace: llm-1 }'),
      '2:75  backends.b.workspace: vendor qwen has workspaces in cn-beijing, ap-southeast-1, us-east-1, cn-hongkong, eu-central-1, ap-northeast-1, not in cn-beijing-token-plan',
    ],
    [
      'workspace and an address',
      backend('{ vendor: qwen, apiKey: env:QWEN_KEY, workspace: llm-1, baseUrl: "https://x.example/v1" }'),
      '2:44  backends.b.workspace: cannot be combined with baseUrl, which is the whole address',
    ],
    [
      'workspace that is no name of a host',
      backend('{ vendor: qwen, apiKey: env:QWEN_KEY, workspace: a.b }'),
      '2:55  backends.b.workspace: must be 1 to 63 letters, digits and inner hyphens',
    ],
    [
      'protocol that the vendor has not',
      backend('{ vendor: glm, apiKey: env:GLM_KEY, protocol: native }'),
      '2:52  backends.b.protocol: vendor glm does not have the protocol "native"; it has: compatible',
    ],
    [
      'protocol that a plan has not',
      backend('{ vendor: qwen, apiKey: env:QWEN_KEY, region: cn-beijing-token-plan, protocol: native }'),
      '2:85  backends.b.protocol: vendor qwen does not have the protocol "native" in cn-beijing-token-plan',
    ],
    [
      'region without address, native',
      backend('{ vendor: qwen, apiKey: env:QWEN_KEY, region: ap-northeast-1, protocol: native }'),
      '2:3  backends.b.baseUrl: is required: vendor qwen has no public address in ap-northeast-1; you can set `workspace` instead',
    ],
    [
      'region label that lies about a native address',
      backend('{ vendor: qwen, apiKey: env:QWEN_KEY, protocol: native, baseUrl: "https://dashscope-intl.aliyuncs.com/api/v1" }'),
      '2:71  backends.b.baseUrl: dashscope-intl.aliyuncs.com is in region ap-southeast-1, not cn-beijing: set region accordingly',
    ],
    [
      'region without address',
      backend('{ vendor: qwen, apiKey: env:QWEN_KEY, region: eu-central-1 }'),
      '2:3  backends.b.baseUrl: is required: vendor qwen has no public address in eu-central-1; you can set `workspace` instead',
    ],
    [
      'not a URL',
      backend('{ vendor: glm, apiKey: env:GLM_KEY, baseUrl: "ftp://x" }'),
      '2:51  backends.b.baseUrl: must be an http or https URL without user name, query or fragment',
    ],
    [
      'URL with a password',
      backend('{ vendor: glm, apiKey: env:GLM_KEY, baseUrl: "https://u:pw@x/v4" }'),
      '2:51  backends.b.baseUrl: must be an http or https URL without user name, query or fragment',
    ],
    [
      'URL with a bad port',
      backend('{ vendor: glm, apiKey: env:GLM_KEY, baseUrl: "http://x:99999" }'),
      '2:51  backends.b.baseUrl: is not a valid URL',
    ],
    [
      'region label that lies',
      backend('{ vendor: glm, apiKey: env:GLM_KEY, baseUrl: "https://api.z.ai/api/paas/v4" }'),
      '2:51  backends.b.baseUrl: api.z.ai is in region intl or intl-coding-plan, not cn: set region accordingly',
    ],
  ])('%s', (_name, text, expected) => {
    const line = problemsOf(text)[0] ?? '';
    expect(line.slice(0, start(expected).length)).toBe(start(expected));
  });
});

test('a literal secret is not repeated, wherever it was written', () => {
  const secret = 'sk-literal0secret';
  for (const text of [
    backend(`{ vendor: qwen, apiKey: ${secret} }`),
    backend(`{ vendor: qwen, apiKey: { ${secret} } }`),
    backend(`{ vendor: qwen, apiKey: [${secret}] }`),
    backend(`{ vendor: qwen, apiKey: ${secret}: x }`),
    backend(`{ vendor: qwen, apiKey: "${secret} }`),
    backend(`{ vendor: qwen, apiKey: env:${secret} }`),
    backend(`{ vendor: qwen, apiKey: x} ${secret}`),
    backend(`{ vendor: qwen, apiKey: env:QWEN_KEY, baseUrl: "https://u:${secret}@host/v1" }`),
    key(`{ name: a, team: t, key: ${secret} }`),
    key(`{ name: a, team: t, key: "sha256:${secret}" }`),
  ]) {
    expect(problemsOf(text).join('\n')).not.toContain(secret);
  }
});

test('all problems come at once, in the order of the file, also across the schema and the cross checks', () => {
  const text = `server: { prot: 1 }
backends:
  a: { vendor: qwen, apiKey: env:NOPE }
  b: { vendor: qwen, apikey: env:QWEN_KEY }
models:
  m: [a/x, b/y, c/z]
teams: { t: {} }
keys:
  - { name: one, team: u, key: literal }
  - { name: two, team: u, key: env:APP_KEY }
`;
  expect(problemsOf(text)).toEqual([
    expect.stringContaining(':1:11  server.prot: unknown key, did you mean "port"?'),
    expect.stringContaining(':3:30  backends.a.apiKey: environment variable NOPE is not set'),
    expect.stringContaining(':4:22  backends.b.apikey: unknown key, did you mean "apiKey"?'),
    expect.stringContaining(':6:17  models.m[2]: unknown backend "c", did you mean "a"?'),
    expect.stringContaining(':9:32  keys[0].key: a key must not be written into the file'),
    expect.stringContaining(':10:24  keys[1].team: unknown team "u", did you mean "t"?'),
  ]);
});

test('the values of the environment are in no message', () => {
  const text = backend('{ vendor: qwen, apiKey: env:SPACED }');
  expect(problemsOf(text).join()).not.toContain(`"${ENV.SPACED}"`);
});
