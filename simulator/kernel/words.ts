import type { Random } from './random.ts';
import { countTokens, cutTokens } from './tokens.ts';

/** The simulated model's prose: sentences from word lists, in English or Chinese by the script of the prompt. */

export type Language = 'en' | 'zh';

const EN = {
  opening: ['In short,', 'Here is one view:', 'To begin with,', 'As far as I can tell,', 'Looking at it closely,'],
  subject: ['the river', 'a quiet engine', 'every careful reader', 'the old map', 'a small team', 'the morning train', 'our naïve model'],
  verb: ['carries', 'explains', 'follows', 'measures', 'gathers', 'repeats', 'balances'],
  object: [
    'a clear signal',
    'several useful facts',
    'the longest path',
    'a café table',
    'three simple steps',
    'the whole story',
    'an honest answer',
  ],
  tail: ['without hurry', 'before noon', 'in plain words', 'as planned', 'once more', 'with some care'],
} as const;

const ZH = {
  opening: ['简单来说，', '首先，', '从整体上看，', '根据你的问题，'],
  subject: ['这条河', '一个小团队', '旧地图', '清晨的列车', '细心的读者', '安静的机器'],
  verb: ['说明了', '带来了', '记录了', '比较了', '整理出'],
  object: ['几个有用的事实', '最长的路线', '三个简单的步骤', '完整的故事', '清楚的信号'],
  tail: ['不慌不忙', '如同计划', '再一次', '用平实的话'],
} as const;

const EMOJI = ['🙂', '🚀', '🌏', '✨', '🐼'] as const;
const MAX_TOPIC = 24;

/** Chinese when the prompt has a Han character, English otherwise. */
export function languageOf(text: string): Language {
  return /\p{Script=Han}/u.test(text) ? 'zh' : 'en';
}

/** Something of the prompt to be mentioned: its longest word, or the first run of Han characters. */
export function topicOf(text: string): string {
  const han = /\p{Script=Han}{2,8}/u.exec(text)?.[0];
  if (han !== undefined) return han;
  let longest = '';
  for (const [word] of text.slice(0, 20_000).matchAll(/[\p{L}\p{N}]+/gu))
    if (word.length > longest.length && word.length <= MAX_TOPIC) longest = word;
  return longest;
}

function sentence(random: Random, language: Language): string {
  if (language === 'zh') return `${random.pick(ZH.subject)}${random.pick(ZH.verb)}${random.pick(ZH.object)}，${random.pick(ZH.tail)}。`;
  const body = `${random.pick(EN.subject)} ${random.pick(EN.verb)} ${random.pick(EN.object)} ${random.pick(EN.tail)}.`;
  return body.charAt(0).toUpperCase() + body.slice(1);
}

/** An answer of 20 to 60 tokens that mentions the topic. */
export function answer(random: Random, language: Language, topic: string): string {
  const opening = random.pick(language === 'zh' ? ZH.opening : EN.opening);
  const about = topic === '' ? '' : language === 'zh' ? `关于“${topic}”：` : ` about "${topic}":`;
  const parts = [`${opening}${about}`];
  const target = random.between(28, 55);
  let total = countTokens(parts[0] ?? '');
  for (;;) {
    const more = sentence(random, language);
    if (total >= 20 && total + countTokens(more) > target) break;
    parts.push(more);
    total += countTokens(more);
  }
  const text = parts.join(language === 'zh' ? '' : ' ');
  return random.next() < 0.25 ? `${text} ${random.pick(EMOJI)}` : text;
}

/** Prose of exactly `tokens` tokens; its last word may be cut short. */
export function proseOf(random: Random, language: Language, tokens: number): string {
  const parts: string[] = [];
  for (let total = 0; total < tokens; ) {
    const more = sentence(random, language);
    parts.push(more);
    total += countTokens(more);
  }
  return cutTokens(parts.join(language === 'zh' ? '' : ' '), tokens);
}

/** A word or two, for strings inside generated JSON. */
export function shortPhrase(random: Random): string {
  return random.pick(['Paris', 'amber', 'north gate', 'river', 'café', 'blue kite', '杭州', 'lantern', 'seven hills']);
}
