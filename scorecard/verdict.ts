import type { Answer } from './answer.ts';
import type { CardModel, Change, Feature, Finding, Probe, Refusal, Seen } from './feature.ts';
import { carriedFaults } from './receipt-truth.ts';

/**
 * exact: as OpenAI would have it, nothing changed but names. emulated: the promise is kept, by a method that the receipt names. degraded: an
 * answer came and the receipt says what it lacks. refused: a clear error that names the field. failed: a broken promise, or a change that
 * nobody told. untested: nothing was tried.
 */
export const VERDICTS = ['exact', 'emulated', 'degraded', 'refused', 'failed', 'untested'] as const;
export type Verdict = (typeof VERDICTS)[number];

export interface Judged {
  readonly verdict: Verdict;
  /** One line for a person; '' where the verdict says it all. */
  readonly why: string;
}

/** The worst of several wins; what was not tested counts only when nothing was. */
export const worse = (one: Verdict, other: Verdict): boolean =>
  other !== 'untested' && (one === 'untested' || VERDICTS.indexOf(other) > VERDICTS.indexOf(one));

/** From what came and what the vendor saw; the receipt only decides between an honest change and a silent one. */
export function judge(feature: Feature, probe: Probe, model: CardModel, answer: Answer, seen: Seen): Judged {
  const failed = (why: string): Judged => ({ verdict: 'failed', why });
  const [fault] = answer.faults;
  if (fault !== undefined) return failed(fault);
  if (probe.refusal !== undefined) {
    const wrong = refusalFault(probe.refusal, answer) ?? broken(probe.judge?.(answer, seen) ?? []);
    return wrong === null ? { verdict: 'exact', why: '' } : failed(wrong);
  }
  if (answer.error !== null) {
    if (probe.orError !== undefined && answer.error['code'] === probe.orError) return { verdict: 'exact', why: '' };
    const named = answer.status === 400 && namesField(feature, answer.error);
    return named ? { verdict: 'refused', why: String(answer.error['message']) } : failed(errorText(answer));
  }
  const findings = probe.judge?.(answer, seen) ?? [];
  const wrong = broken(findings) ?? carriedFaults(feature, probe, model, seen)[0] ?? null;
  if (wrong !== null) return failed(wrong);
  const unjudged = findings.flatMap((finding) => (typeof finding !== 'string' && 'unjudged' in finding ? [finding.unjudged] : []));
  if (unjudged[0] !== undefined) return { verdict: 'untested', why: unjudged[0] };
  return byReceipt(feature, seen.changes, findings);
}

function byReceipt(feature: Feature, changes: readonly Change[], findings: readonly Finding[]): Judged {
  const own = changes.filter((change) => concerns(feature, change.field) || change.alters);
  const lacks = findings.flatMap((finding) => (typeof finding !== 'string' && 'lack' in finding ? [finding.lack] : []));
  const lost = own.filter(
    ({ fate, alters }) => fate !== 'emulated' && fate !== 'renamed' && (alters || (!feature.shows && fate !== 'defaulted')),
  );
  const [lack] = [...lacks, ...lost.map(explained)];
  if (lack !== undefined) return { verdict: 'degraded', why: lack };
  const methods = own.filter(({ fate }) => fate !== 'renamed' && fate !== 'defaulted');
  const [method] = methods;
  return method === undefined ? { verdict: 'exact', why: '' } : { verdict: 'emulated', why: explained(method) };
}

const explained = ({ field, fate, reason, to }: Change): string => `${field} ${fate}${to === undefined ? '' : ` (${to})`}: ${reason}`;

export const concerns = ({ fields }: Pick<Feature, 'fields'>, field: string): boolean =>
  fields.some((own) => field === own || field.startsWith(`${own}.`) || field.startsWith(`${own}[`));

const broken = (findings: readonly Finding[]): string | null => findings.find((finding) => typeof finding === 'string') ?? null;

function refusalFault(wanted: Refusal, { status, error, text }: Answer): string | null {
  if (error === null) return `an error ${wanted.code} is due, and ${status} came: ${text.slice(0, 120)}`;
  if (status !== wanted.status) return `status ${status} (${String(error['code'])}) instead of ${wanted.status} (${wanted.code})`;
  if (error['code'] !== wanted.code) return `code ${String(error['code'])} instead of ${wanted.code}`;
  if (wanted.type !== undefined && error['type'] !== wanted.type) return `type ${String(error['type'])} instead of ${wanted.type}`;
  if (wanted.param !== undefined && error['param'] !== wanted.param) return `param ${String(error['param'])} instead of ${wanted.param}`;
  return null;
}

function namesField(feature: Feature, error: Readonly<Record<string, unknown>>): boolean {
  return error['type'] === 'invalid_request_error' && typeof error['param'] === 'string' && concerns(feature, error['param']);
}

const errorText = ({ status, error }: Answer): string => `${status} ${String(error?.['code'])}: ${String(error?.['message'])}`;
