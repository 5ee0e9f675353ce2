/**
 * GLM's business errors: `{"error":{"code":"1214","message":"…"}}`, code as a string of digits.
 *
 * The code carries the meaning, not the status: one HTTP 429 covers "slow down" (1302), "no money" (1113) and
 * "come back in hours" (1308). Message language follows `Accept-Language`; without it bigmodel answers in Chinese
 * and z.ai in English. Texts are ours; clients should match on the code only (GLM 4.1–4.3).
 */
import { beijingClock } from './ids.ts';

export type Language = 'zh' | 'en';

export interface Words {
  readonly zh: string;
  readonly en: string;
}

interface ErrorRow extends Words {
  readonly http: number;
}

/** `{reset}` in a text becomes the Beijing wall-clock time at which the cap is lifted. */
export const ERRORS: Readonly<Record<string, ErrorRow>> = {
  '500': { http: 500, zh: '系统内部异常,请稍后再试', en: 'Internal error' },
  '1000': { http: 401, zh: '身份验证没有通过', en: 'Authentication failed' },
  '1001': { http: 401, zh: '请求头里没有 Authorization,无法验证身份', en: 'No Authorization header was received' },
  '1002': { http: 401, zh: 'Authorization Token 格式非法', en: 'Authorization token is invalid' },
  '1003': { http: 401, zh: 'Authorization Token 已经过期', en: 'Authentication token expired' },
  '1004': { http: 401, zh: 'Authorization Token 校验没有通过', en: 'Authentication token could not be verified' },
  '1005': { http: 401, zh: '身份验证异常', en: 'Authentication problem' },
  '1100': { http: 429, zh: '账户读写异常', en: 'The account cannot be read or written' },
  '1110': { http: 429, zh: '账户还没有激活', en: 'The account is not active' },
  '1111': { http: 429, zh: '没有这个账户', en: 'The account does not exist' },
  '1112': { http: 429, zh: '账户已锁定,请联系客服', en: 'The account is locked, contact support' },
  '1113': { http: 429, zh: '余额过低或没有剩余资源包,请先充值', en: 'Balance too low or no resource package left, please top up' },
  '1120': { http: 500, zh: '账户暂时访问不到,请稍后再试', en: 'The account cannot be reached for the moment, try again later' },
  '1121': { http: 429, zh: '账户因违规被锁定', en: 'The account is locked for a violation' },
  '1200': { http: 500, zh: '接口调用出错', en: 'API call error' },
  '1210': { http: 400, zh: '接口参数有误,请查阅文档', en: 'A parameter of the call is wrong, check the documentation' },
  '1211': { http: 400, zh: '没有这个模型,请检查模型代码', en: 'Model does not exist, check the model code' },
  '1212': { http: 400, zh: '该模型不支持这种调用方式', en: 'The model does not support this call method' },
  '1213': { http: 400, zh: '没有收到参数', en: 'A parameter was not received' },
  '1214': { http: 400, zh: '参数非法', en: 'A parameter is illegal' },
  '1215': { http: 400, zh: '两个参数不能一起使用', en: 'Two parameters exclude each other' },
  '1220': { http: 403, zh: '没有访问这个接口的权限', en: 'No permission for this API' },
  '1221': { http: 400, zh: '这个接口已经下线', en: 'This API has been taken offline' },
  '1222': { http: 400, zh: '没有这个接口', en: 'This API does not exist' },
  '1230': { http: 500, zh: '调用流程出错', en: 'Error in the flow of the call' },
  '1231': { http: 400, zh: 'request_id 已经用过', en: 'This request_id was used before' },
  '1234': { http: 500, zh: '平台网络出错,请联系客服', en: 'Network error at the provider, contact support' },
  '1261': { http: 400, zh: 'Prompt 过长', en: 'Prompt too long' },
  '1300': { http: 400, zh: '调用被策略拦截', en: 'The call was blocked by policy' },
  '1301': { http: 400, zh: '输入或输出可能含有不安全或敏感内容', en: 'Unsafe or sensitive content detected' },
  '1302': { http: 429, zh: '这个接口的并发数过高', en: 'Concurrency limit reached for this API' },
  '1303': { http: 429, zh: '这个接口的调用频率过高', en: 'Call frequency limit reached for this API' },
  '1304': { http: 429, zh: '今天的调用次数已经用完', en: 'The daily number of calls is used up' },
  '1305': { http: 429, zh: '该模型当前访问量过大,请稍后再试', en: 'Model is overloaded, try again later' },
  '1308': { http: 429, zh: '已达到使用上限,将在 {reset} 重置', en: 'Usage limit reached, resets at {reset}' },
  '1309': { http: 429, zh: '编程套餐已经到期', en: 'The coding plan has expired' },
  '1310': { http: 429, zh: '已达到每周或每月使用上限,将在 {reset} 重置', en: 'Weekly or monthly limit reached, resets at {reset}' },
  '1311': { http: 429, zh: '套餐里没有这个模型', en: 'The plan does not contain this model' },
  '1312': { http: 429, zh: '该模型繁忙,请换用其他模型', en: 'Model is busy, use another one' },
  '1313': { http: 429, zh: '套餐使用方式受到公平使用限制', en: 'The plan is restricted by the fair use policy' },
  '1314': { http: 429, zh: '资源包不可用', en: 'The resource package is not available' },
  '1315': { http: 429, zh: '资源包不可用', en: 'The resource package is not available' },
  '1316': { http: 429, zh: '资源包额度已用完', en: 'The quota of the resource package is used up' },
  '1317': { http: 429, zh: '资源包额度已用完', en: 'The quota of the resource package is used up' },
  '1318': { http: 429, zh: '资源包额度已用完', en: 'The quota of the resource package is used up' },
  '1319': { http: 429, zh: '资源包已经到期', en: 'The resource package has expired' },
  '1320': { http: 429, zh: '资源包已经到期', en: 'The resource package has expired' },
  '1321': { http: 429, zh: '资源包已经到期', en: 'The resource package has expired' },
};

/** How long until each usage cap is lifted, in ms; `{reset}` is computed from it. */
const RESET_AFTER_MS: Readonly<Record<string, number>> = { '1308': 5 * 3_600_000, '1310': 7 * 24 * 3_600_000 };

const UNKNOWN_ROW: ErrorRow = { http: 500, zh: '未知错误', en: 'Unknown error' };

/** Thrown anywhere below the vendor's `handle`, which turns it into a reply. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly code: string;
  readonly words: Words | null;
  readonly status: number;
  /** Keys beside `error`, e.g. `contentFilter` of code 1301. */
  readonly beside: Readonly<Record<string, unknown>>;

  constructor(code: string, words: Words | null = null, options: { status?: number; beside?: Readonly<Record<string, unknown>> } = {}) {
    super(words?.en ?? ERRORS[code]?.en ?? UNKNOWN_ROW.en);
    this.code = code;
    this.words = words;
    this.status = options.status ?? (ERRORS[code] ?? UNKNOWN_ROW).http;
    this.beside = options.beside ?? (code === '1301' ? { contentFilter: [{ level: 1, role: 'user' }] } : {});
  }
}

/** 1214: names the illegal parameter; `where` is a path such as `messages[2].content[0].type`. */
export function illegal(where: string, why: Words = { zh: '参数非法', en: 'parameter is illegal' }): Refusal {
  return new Refusal('1214', { zh: `${where} ${why.zh}`, en: `${where} ${why.en}` });
}

/** 1210: the catch-all for parameters that do not deserialise. */
export function wrong(en: string, zh: string = en): Refusal {
  return new Refusal('1210', { zh: `接口参数有误:${zh}`, en: `Wrong parameter: ${en}` });
}

/** 1213: a required parameter was missing or empty. */
export function notReceived(field: string): Refusal {
  return new Refusal('1213', { zh: `没有收到 ${field} 参数`, en: `${field} parameter was not received` });
}

/** Odd body shapes seen in the wild, on request only (GLM 4.1, 2.10). */
export interface ErrorShape {
  /** `code` as a JSON number. */
  readonly numberCode: boolean;
  /** HTTP 200 with `{"success":false,"code":500,"msg":"…"}`. */
  readonly envelope: boolean;
  /** `code` and `message` at the top level, as the OpenAPI document prints them. */
  readonly flat: boolean;
  /** `request_id` beside `error`. */
  readonly requestId: boolean;
}

export const PLAIN_SHAPE: ErrorShape = { numberCode: false, envelope: false, flat: false, requestId: false };

/** Text of a refusal in one language. */
export function messageOf(refusal: Refusal, language: Language, nowMs: number): string {
  const words: Words = refusal.words ?? ERRORS[refusal.code] ?? UNKNOWN_ROW;
  return words[language].replace('{reset}', beijingClock(nowMs + (RESET_AFTER_MS[refusal.code] ?? 0)));
}

/** The JSON value of an error body. `requestId` is used only by shapes that print it. */
export function errorValue(refusal: Refusal, message: string, shape: ErrorShape, requestId: string): Record<string, unknown> {
  const code = shape.numberCode ? Number(refusal.code) : refusal.code;
  if (shape.envelope) return { success: false, code: Number(refusal.code), msg: message };
  if (shape.flat) return { code, message };
  return { ...refusal.beside, error: { code, message }, ...(shape.requestId ? { request_id: requestId } : {}) };
}

/** `Accept-Language` decides; else the house language of the region. */
export function languageOf(acceptLanguage: string | undefined, region: string): Language {
  const asked = acceptLanguage?.trim().toLowerCase() ?? '';
  if (asked.startsWith('en')) return 'en';
  if (asked.startsWith('zh')) return 'zh';
  return region === 'intl' ? 'en' : 'zh';
}
