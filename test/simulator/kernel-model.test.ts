import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compose } from '../../simulator/kernel/compose.ts';
import { parseDirectives } from '../../simulator/kernel/directives.ts';
import { randomFrom } from '../../simulator/kernel/random.ts';
import { instanceOf } from '../../simulator/kernel/schema-instance.ts';
import { countTokens, cutTokens, pieces } from '../../simulator/kernel/tokens.ts';
import type { ComposeTask } from '../../simulator/kernel/types.ts';

const TASK: ComposeTask = {
  system: '',
  lastUser: 'Tell me about lighthouses.',
  toolResults: [],
  continueText: null,
  images: 0,
  tools: [],
  toolChoice: 'auto',
  parallel: true,
  json: null,
  thinking: false,
  thinkingBudget: null,
  effort: 1,
  maxAnswerTokens: null,
  maxTotalTokens: null,
  stop: [],
  choice: 0,
  seed: null,
};
const say = (text: string): string => `[[sim:say text=${JSON.stringify(text)}]]`;
const WEATHER = {
  name: 'get_weather',
  parameters: {
    type: 'object',
    properties: { city: { type: 'string' }, days: { type: 'integer', minimum: 1, maximum: 3 } },
    required: ['city'],
  },
};
const CLOCK = { name: 'clock', parameters: {} };

describe('token measure', () => {
  test.each([
    ['', 0],
    ['   \n', 0],
    ['a', 1],
    ['abcd', 1],
    ['abcde', 2],
    ['hello world', 4],
    ['你好', 2],
    ['Hi, 杭州!', 5],
    ['🙂', 1],
    ['naïve', 3], // "na" + "ï" + "ve"
    ['{"city":"Paris"}', 10],
  ])('%j costs %i', (text, tokens) => expect(countTokens(text)).toBe(tokens));

  test('pieces are the text again, add up, and never split a pair', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 80 }), (text) => {
        const parts = pieces(text);
        expect(parts.join('')).toBe(text);
        expect(parts.reduce((total, part) => total + countTokens(part), 0)).toBe(countTokens(text));
        for (const part of parts.slice(0, -1)) expect(countTokens(part)).toBe(1);
        expect(parts.every((part) => part.isWellFormed())).toBe(true);
      }),
    );
  });

  test('a cut text costs the limit, or all it has', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), fc.nat(40), (text, limit) => {
        const cut = cutTokens(text, limit);
        expect(text.startsWith(cut)).toBe(true);
        expect(countTokens(cut)).toBe(Math.min(limit, countTokens(text)));
      }),
    );
  });
});

describe('directives', () => {
  test.each([
    ['plain text', [], 'plain text'],
    ['a [[sim:echo]] b', [{ name: 'echo', args: {} }], 'a  b'],
    ['[[sim:tokens n=500]]', [{ name: 'tokens', args: { n: '500' } }], ''],
    ['[[sim:say text="a \\"b\\" ]] \\n\\u00e9"]]x', [{ name: 'say', args: { text: 'a "b" ]] \né' } }], 'x'],
    ['[[sim:call name=f args={"a":{"b":"}"}}]]', [{ name: 'call', args: { name: 'f', args: '{"a":{"b":"}"}}' } }], ''],
    ['[[sim:x list=[1,2] flag]]', [{ name: 'x', args: { list: '[1,2]', flag: 'true' } }], ''],
    [
      '[[sim:a]][[sim:b k=v]]',
      [
        { name: 'a', args: {} },
        { name: 'b', args: { k: 'v' } },
      ],
      '',
    ],
    ['[[sim:open', [], '[[sim:open'],
    ['[[sim:bad text="never closed]] tail', [], '[[sim:bad text="never closed]] tail'],
    ['[[sim:UPPER]]', [], '[[sim:UPPER]]'],
    ['[[sim:x k=]] [[sim:y]]', [{ name: 'y', args: {} }], '[[sim:x k=]]'],
    ['[[sim:x __proto__=1]]', [{ name: 'x', args: { ['__proto__']: '1' } }], ''],
  ])('%j', (text, directives, rest) => expect(parseDirectives(text)).toEqual({ directives, rest }));

  test('any text parses, without a change when it has no directive', () => {
    const bit = fc.constantFrom('[[sim:', ']]', 'say', ' ', 'text=', '"', '\\', '{', '}', '[', ']', 'n=5', 'é', '🙂', '\n');
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'binary' }),
          fc.array(bit, { maxLength: 30 }).map((bits) => bits.join('')),
        ),
        (text) => {
          const { directives, rest } = parseDirectives(text);
          if (directives.length === 0) expect(rest).toBe(text);
          else expect(rest.length).toBeLessThan(text.length);
        },
      ),
    );
  });

  test('what is quoted comes back as it was', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(parseDirectives(`[[sim:say text=${JSON.stringify(text)}]]`).directives).toEqual([
          { name: 'say', args: { text: unescaped(text) } },
        ]);
      }),
    );
  });
  /** `\b` and `\f` are letters here, as in the documented list of escapes. */
  const unescaped = (text: string): string => text.replaceAll('\b', 'b').replaceAll('\f', 'f');
});

describe('answers', () => {
  test('the same task gives the same answer; prompt, system, seed and choice change it', () => {
    const base = compose(TASK);
    expect(compose({ ...TASK })).toEqual(base);
    const others = [{ lastUser: 'Tell me about lighthouse.' }, { system: 'x' }, { seed: 7 }, { choice: 1 }];
    for (const other of others) expect(compose({ ...TASK, ...other }).content).not.toBe(base.content);
  });

  test('20 to 60 tokens that mention the prompt, in its language', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        for (const [lastUser, topic] of [
          ['Tell me about lighthouses.', 'lighthouses'],
          ['请介绍西湖', '请介绍西湖'],
        ] as const) {
          const { content, contentTokens, finish } = compose({ ...TASK, lastUser, seed });
          expect(content).toContain(topic);
          expect(contentTokens).toBe(countTokens(content));
          expect(contentTokens).toBeGreaterThanOrEqual(20);
          expect(contentTokens).toBeLessThanOrEqual(60);
          expect(finish).toBe('stop');
        }
      }),
    );
  });

  test.each([
    [{ lastUser: say('exactly "this" 🙂') }, 'exactly "this" 🙂', 'stop'],
    [{ lastUser: 'Good day [[sim:echo]]' }, 'Good day', 'stop'],
    [{ lastUser: say('one STOP two'), stop: ['nope', 'STOP'] }, 'one ', 'stop'],
    [{ lastUser: say('abcdefgh ij'), maxAnswerTokens: 2 }, 'abcdefgh', 'length'],
    [{ lastUser: say('abcd'), maxAnswerTokens: 1 }, 'abcd', 'stop'],
    [{ lastUser: say('Hello world'), continueText: 'Hello' }, ' world', 'stop'],
    [{ toolResults: ['{"temp":21}', 'second'] }, 'The tools answered: {"temp":21} | second', 'stop'],
  ] satisfies [Partial<ComposeTask>, string, string][])('%j', (change, content, finish) => {
    expect(compose({ ...TASK, ...change })).toMatchObject({ content, finish });
  });

  test.each([1, 20, 500])('tokens n=%i is exact', (n) => {
    expect(compose({ ...TASK, lastUser: `[[sim:tokens n=${n}]]` })).toMatchObject({ contentTokens: n, finish: 'stop' });
  });

  test('reasoning: exact by directive, scaled by effort, cut by budget and by the total', () => {
    const thinking = { ...TASK, thinking: true };
    expect(compose(TASK)).toMatchObject({ reasoning: '', reasoningTokens: 0 });
    expect(compose({ ...thinking, lastUser: 'x [[sim:think n=40]]' }).reasoningTokens).toBe(40);
    const usual = compose(thinking).reasoningTokens;
    expect(usual).toBeGreaterThanOrEqual(10);
    expect(usual).toBeLessThanOrEqual(60);
    expect(compose({ ...thinking, effort: 4 }).reasoningTokens).toBe(usual * 4);
    expect(compose({ ...thinking, thinkingBudget: 5 })).toMatchObject({ reasoningTokens: 5, finish: 'stop' });
    expect(compose({ ...thinking, maxTotalTokens: 5 })).toMatchObject({ reasoningTokens: 5, content: '', finish: 'length' });
    expect(compose({ ...thinking, maxTotalTokens: usual + 3 })).toMatchObject({
      reasoningTokens: usual,
      contentTokens: 3,
      finish: 'length',
    });
  });
});

describe('tool calls', () => {
  const tools = [WEATHER, CLOCK];
  test.each([
    ['a tool that is named', { lastUser: 'please get weather' }, ['get_weather']],
    ['both, when both are named', { lastUser: 'clock and get_weather' }, ['get_weather', 'clock']],
    ['one only, without parallel calls', { lastUser: 'clock and get_weather', parallel: false }, ['get_weather']],
    ['none, when nobody asks', {}, []],
    ['none, when forbidden', { lastUser: 'get_weather', toolChoice: 'none' }, []],
    ['the first, when required', { toolChoice: 'required' }, ['get_weather']],
    ['the first, when the system says so', { system: 'You must call a tool.' }, ['get_weather']],
    ['the chosen one', { toolChoice: { name: 'clock' } }, ['clock']],
    ['none, once there are results', { lastUser: 'get_weather', toolResults: ['ok'] }, []],
    [
      'those of the directives',
      { lastUser: '[[sim:call name=clock]] [[sim:call name=get_weather args={"city":"Oslo"}]]' },
      ['clock', 'get_weather'],
    ],
  ] satisfies [string, Partial<ComposeTask>, string[]][])('%s', (_, change, names) => {
    const answer = compose({ ...TASK, tools, ...change });
    expect(answer.toolCalls.map((call) => call.name)).toEqual(names);
    expect(answer.finish).toBe(names.length > 0 ? 'tool_calls' : 'stop');
  });

  test('arguments are those of the directive, or fit the schema', () => {
    const [call] = compose({ ...TASK, tools, lastUser: '[[sim:call name=get_weather args={"city":"Oslo"}]]' }).toolCalls;
    expect(call?.arguments).toBe('{"city":"Oslo"}');
    const [made] = compose({ ...TASK, tools, toolChoice: 'required' }).toolCalls;
    expect(new Ajv2020().validate(WEATHER.parameters, JSON.parse(made?.arguments ?? ''))).toBe(true);
  });

  test('tokens of calls are counted, and cut', () => {
    const lastUser = '[[sim:call name=clock args={"zone":"UTC"}]]';
    expect(compose({ ...TASK, tools, lastUser }).contentTokens).toBe(countTokens('clock') + countTokens('{"zone":"UTC"}'));
    expect(compose({ ...TASK, tools, lastUser, maxAnswerTokens: 4 })).toMatchObject({
      finish: 'length',
      contentTokens: 4,
      toolCalls: [{ name: 'clock', arguments: '{"' }],
    });
  });

  test('a leaked call is text', () => {
    const answer = compose({ ...TASK, tools, lastUser: 'get_weather [[sim:leak-call]]' });
    expect(answer).toMatchObject({ toolCalls: [], finish: 'stop' });
    expect(answer.content).toMatch(/^<tool_call>\n\{"name": "get_weather"/);
  });
});

describe('JSON answers', () => {
  const schema = {
    type: 'object',
    properties: {
      kind: { enum: ['b', 'a'] },
      when: { type: 'string', format: 'date' },
      code: { type: 'string', pattern: '^[A-Z]{3}-\\d{3}$' },
      size: { type: 'number', minimum: 0.5, exclusiveMaximum: 2 },
      even: { type: 'integer', multipleOf: 2, minimum: 3, maximum: 9 },
      tags: { type: 'array', items: { type: 'string', minLength: 12, maxLength: 14 }, minItems: 2, uniqueItems: true },
      fixed: { const: { deep: [1] } },
      maybe: { anyOf: [{ $ref: '#/$defs/leaf' }, { type: 'null' }] },
      tree: { $ref: '#/$defs/tree' },
      both: {
        allOf: [
          { type: 'object', properties: { a: { type: 'boolean' } }, required: ['a'] },
          { properties: { b: { type: ['null', 'string'] } }, required: ['b'] },
        ],
      },
      pair: { type: 'array', prefixItems: [{ type: 'integer' }, { type: 'boolean' }], items: false, minItems: 2 },
    },
    required: ['kind', 'when', 'code', 'size', 'even', 'tags', 'fixed', 'maybe', 'tree', 'both', 'pair'],
    additionalProperties: false,
    $defs: {
      leaf: { type: 'object', properties: { value: { type: 'integer' } }, required: ['value'], additionalProperties: false },
      tree: {
        type: 'object',
        properties: { name: { type: 'string' }, kids: { type: 'array', items: { $ref: '#/$defs/tree' } } },
        required: ['name', 'kids'],
      },
    },
  };
  const valid = new Ajv2020({ strictTypes: false, formats: { date: /^\d{4}-\d\d-\d\d$/ } }).compile(schema);

  test('an instance of the schema, for any seed', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const value = instanceOf(schema, randomFrom(seed));
        expect(valid(value), JSON.stringify([value, valid.errors])).toBe(true);
      }),
    );
  });

  test('object mode, schema mode, a schema in the system text, and the ways to fail', () => {
    const object = compose({ ...TASK, json: { kind: 'object' } });
    expect(JSON.parse(object.content)).toMatchObject({ answer: expect.any(String) });
    expect(valid(JSON.parse(compose({ ...TASK, json: { kind: 'schema', schema } }).content))).toBe(true);
    const system = `Use {braces} and answer as JSON by ${JSON.stringify(schema)} please`;
    expect(valid(JSON.parse(compose({ ...TASK, system, json: { kind: 'object' } }).content))).toBe(true);
    expect(() => JSON.parse(compose({ ...TASK, json: { kind: 'object' }, lastUser: '[[sim:nojson]]' }).content)).toThrow();
    const fenced = compose({ ...TASK, json: { kind: 'object' }, lastUser: '[[sim:fence]]' }).content;
    expect(JSON.parse(/```json\n(.*)\n```/s.exec(fenced)?.[1] ?? '')).toMatchObject({ answer: expect.any(String) });
  });
});
