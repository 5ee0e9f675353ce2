import { type BackendResult, isKnown, type KeyResult, type RegionResult, type Verdict } from './live-check.ts';

const WORDS: Readonly<Record<Verdict, string>> = {
  works: 'works',
  'key-refused': 'key refused',
  'no-money': 'account without money',
  'model-not-opened': 'model not opened',
  'wrong-region': 'region wrong',
  'not-reached': 'not reached',
  busy: 'at a limit or overloaded, try again later',
  failed: 'failed',
  'not-asked': 'not asked: the vendor has no list of models, and `models` sends neither chat nor embeddings to this backend',
};

/** What was found, for a person: a line for each key, and what to do. Control characters of vendors' texts are masked. */
export function liveText(results: readonly BackendResult[]): string {
  const lines = results.flatMap(({ backend, vendor, region, keys }) => [
    `  ${backend} (${vendor}, ${region})`,
    ...keys.flatMap((result) => [
      `    ${keyName(result, keys.length)}: ${WORDS[result.verdict]}${result.asked === null ? '' : `  (${result.asked})`}`,
      ...(result.message === undefined ? [] : [`      ${result.message}`]),
      ...adviceOf(result, vendor, keys.length === 1).map((advice) => `      ${advice}`),
    ]),
  ]);
  return `${['', 'live:', ...lines, ...remarks(results.flatMap(({ keys }) => keys))].join('\n').replace(/[^\P{Cc}\n]/gu, '?')}\n`;
}

const keyName = ({ key }: KeyResult, count: number): string =>
  key === null ? 'without a key' : count === 1 ? 'its key' : `key ${key} of ${count}`;

/** Where a refused key belongs, and what was asked to find out. */
function adviceOf({ verdict, elsewhere, ownAddress }: KeyResult, vendor: string, only: boolean): string[] {
  if (ownAddress === true) return ['other regions were not tried: the backend has its own baseUrl or workspace'];
  if (elsewhere === undefined) return [];
  const [home, ...others] = elsewhere.filter((one) => one.verdict === 'works');
  if (home !== undefined) {
    const also = others.length === 0 ? [] : [`it also works in ${others.map((one) => one.region).join(', ')}`];
    const plan = home.plan
      ? ['that region is a subscription plan for coding tools: vendors block keys that other applications use there']
      : [];
    return [`this key works in region ${home.region}: ${moveTo(home, only)}`, ...plan, ...also];
  }
  const known = verdict === 'wrong-region' ? elsewhere.find((one) => isKnown(one.verdict)) : undefined;
  if (known !== undefined) return [`this key is known in region ${known.region} (${WORDS[known.verdict]}): ${moveTo(known, only)}`];
  const named = (wanted: readonly Verdict[]): string[] =>
    elsewhere.filter((one: RegionResult) => wanted.includes(one.verdict)).map((one) => one.region);
  const open = named(['not-reached', 'not-asked', 'failed']);
  return [`no other region of ${vendor} accepts it either`, ...(open.length === 0 ? [] : [`could not be tried: ${open.join(', ')}`])];
}

/** A backend has one region: a key among others needs one of its own. */
const moveTo = ({ region }: RegionResult, only: boolean): string =>
  only ? `set region: ${region}` : `give it a backend of its own with region: ${region}`;

/** What the questions prove and cost. */
function remarks(keys: readonly KeyResult[]): string[] {
  const listed = keys.some(({ asked }) => asked?.startsWith('GET ') === true);
  const chatted = keys.some(({ mayCost }) => mayCost);
  return [
    ...(listed
      ? [
          '  A list of models costs nothing. It shows that the key is accepted, but not that there is money or that a model is opened; --chat does.',
        ]
      : []),
    ...(chatted ? ['  One token or vector was requested, with a prompt of one word. It may be billed.'] : []),
  ];
}
