import { describe, expect, test } from 'vitest';
import { loadCatalog } from '../../catalog/catalog.ts';
import { RouteTable } from '../../relay/routing/route-table.ts';
import { translatorFor, vectorsFor } from '../../translators/registry.ts';
import { routing } from './routing-rig.ts';

const catalog = loadCatalog();

const table = (models: string, random: () => number = () => 0, permit?: string) =>
  routing(models, { random, ...(permit === undefined ? {} : { permit }) });

describe('names', () => {
  const { places } = table(`
  gpt-4o: [q1/qwen-plus, glm/glm-4.6]
  'gpt-*': [ernie/ernie-5.1]
  'gpt-4*': [glm/glm-4.5-air]
  '*-vision': [q1/qwen3-vl-plus]
  glm-4.6: [q2/qwen-plus]
  'q1/special': [glm/glm-4.6]
  'house/chat:latest': [glm/glm-4.6]
`);
  test.each<[string, string[] | string]>([
    ['gpt-4o', ['q1/qwen-plus', 'glm/glm-4.6']],
    ['gpt-4o-mini', ['ernie/ernie-5.1']],
    ['gpt-4.1', ['ernie/ernie-5.1']],
    ['gpt-', ['ernie/ernie-5.1']],
    ['GPT-4o', 'unknown'],
    ['xgpt-4o', 'unknown'],
    ['my-vision', ['q1/qwen3-vl-plus']],
    ['gpt-*', ['ernie/ernie-5.1']],
    ['*', 'unknown'],
    ['qwen-plus', ['q1/qwen-plus', 'q2/qwen-plus']],
    ['glm-4.6', ['q2/qwen-plus']],
    ['glm/glm-4.6', ['glm/glm-4.6']],
    ['q2/qwen-plus', ['q2/qwen-plus']],
    ['q1/special', ['glm/glm-4.6']],
    ['q1/anything/with:colon', ['q1/anything/with:colon']],
    ['q1/', 'unknown'],
    ['/qwen-plus', 'unknown'],
    ['q3/qwen-plus', 'unknown'],
    ['house/chat:latest', ['glm/glm-4.6']],
    ['text-embedding-v4', 'unknown'],
    ['nope', 'unknown'],
    ['__proto__', 'unknown'],
    ['constructor', 'unknown'],
    ['hasOwnProperty', 'unknown'],
    ['toString', 'unknown'],
    ['__proto__/x', 'unknown'],
    ['constructor/name', 'unknown'],
  ])('%s → %j', (asked, wanted) => {
    // Twice: the second answer comes from what is kept.
    expect(places(asked)).toEqual(wanted);
    expect(places(asked)).toEqual(wanted);
  });

  test('a vendor\u2019s name that no table knows goes to the vendor that claims it', () => {
    expect(places('qwen-of-next-year')).toEqual(['q1/qwen-of-next-year', 'q2/qwen-of-next-year']);
    expect(places('glm-99')).toEqual(['glm/glm-99']);
    expect(places('ernie-99')).toEqual(['ernie/ernie-99']);
  });

  test('a vendor\u2019s own name comes before a pattern', () => {
    expect(table("{ 'qwen*': [glm/glm-4.6] }").places('qwen-plus')).toEqual(['q1/qwen-plus', 'q2/qwen-plus']);
  });
});

describe('tiers and weights', () => {
  const WEIGHTED = `
  w: [{ to: q1/a, weight: 3 }, { to: glm/b, weight: 1 }]
  mixed: [{ to: q1/a, weight: 1 }, { to: glm/b, weight: 1 }, ernie/c, { to: q2/d, weight: 1 }, { to: q2/e, weight: 9 }]
  plain: [q1/a, glm/b, ernie/c]
`;
  test.each<[number, string[]]>([
    [0, ['q1/a', 'glm/b']],
    [0.74, ['q1/a', 'glm/b']],
    [0.75, ['glm/b', 'q1/a']],
    [0.999_999, ['glm/b', 'q1/a']],
    // A random source that gives 1 does not break the draw.
    [1, ['glm/b', 'q1/a']],
  ])('3 to 1 at %d', (drawn, wanted) => expect(table(WEIGHTED, () => drawn).places('w')).toEqual(wanted));

  test('the shares are those of the weights', () => {
    let step = 0;
    const { places } = table(WEIGHTED, () => (step++ % 100) / 100);
    let first = 0;
    // Two draws a route: for the first place, and for what is left.
    for (let round = 0; round < 1000; round++) if (places('w')[0] === 'q1/a') first++;
    expect(first / 1000).toBeCloseTo(0.75, 1);
  });

  test.each<[number, string[]]>([
    [0, ['q1/a', 'glm/b', 'ernie/c', 'q2/d', 'q2/e']],
    [0.5, ['glm/b', 'q1/a', 'ernie/c', 'q2/e', 'q2/d']],
  ])('neighbours with a weight are one tier, others stand alone (%d)', (drawn, wanted) => {
    expect(table(WEIGHTED, () => drawn).places('mixed')).toEqual(wanted);
  });

  test.each([0, 0.5, 0.99])('without weights the order of the file holds at %d', (drawn) => {
    expect(table(WEIGHTED, () => drawn).places('plain')).toEqual(['q1/a', 'glm/b', 'ernie/c']);
  });

  test('a permit takes out of a tier, and the others take its share', () => {
    const { places } = table(WEIGHTED, () => 0, "{ vendors: [glm, ernie], regions: ['*'] }");
    expect(places('w')).toEqual(['glm/b']);
    expect(places('mixed')).toEqual(['glm/b', 'ernie/c']);
  });

  test('a listing draws nothing', () => {
    const { routes, caller } = table(WEIGHTED, () => {
      throw new Error('drawn');
    });
    expect(routes.list(caller).map(({ id }) => id)).toContain('mixed');
  });
});

describe('thinking', () => {
  const { first } = table(`
  gpt-4o: [q1/qwen-plus]
  gpt-4-0613: [q1/qwen-plus]
  gpt-3.5-turbo-preview: [q1/qwen-plus]
  chatgpt-4o-latest: [q1/qwen-plus]
  o3: [q1/qwen-plus]
  gpt-5: [q1/qwen-plus]
  house: [q1/qwen-plus]
  on: [{ to: q1/qwen-plus, thinking: 'on' }]
  off: [{ to: q1/qwen-plus, thinking: 'off' }]
`);
  test.each([
    ['gpt-4o', 'none'],
    ['gpt-4-0613', 'none'],
    ['gpt-3.5-turbo-preview', 'none'],
    ['chatgpt-4o-latest', 'none'],
    ['o3', 'medium'],
    ['gpt-5', 'medium'],
    ['house', 'default'],
    ['on', 'medium'],
    ['off', 'none'],
    ['qwen-plus', 'default'],
    ['q1/qwen-plus', 'default'],
  ])('%s: %s', (asked, wanted) => expect(first(asked).thinking).toBe(wanted));
});

describe('listing', () => {
  test('names of the file and the vendors\u2019 current chat models, no patterns, each once', () => {
    const { routes, caller } = table("{ gpt-4o: [q1/qwen-plus], glm-4.6: [glm/glm-4.6], 'x*': [glm/glm-4.6] }");
    const ids = routes.list(caller).map(({ id }) => id);
    expect(ids.slice(0, 2)).toEqual(['gpt-4o', 'glm-4.6']);
    expect(ids).not.toContain('x*');
    expect(new Set(ids).size).toBe(ids.length);
    for (const vendor of ['qwen', 'ernie', 'glm']) for (const id of catalog.chatModels(vendor)) expect(ids).toContain(id);
    expect(routes.describe('x1', caller)).toMatchObject({ id: 'x1', ownedBy: 'glm' });
  });
});

describe('kinds of models', () => {
  const { config, caller } = table(`
  embed: [q2/text-embedding-v4, glm/embedding-3, q1/text-embedding-v4]
  weighed: [{ to: glm/embedding-3, weight: 1 }, { to: q1/text-embedding-v4, weight: 99 }]
  ranks: [q1/qwen3-rerank, glm/rerank]
  mixed: [q1/qwen-plus, glm/embedding-3, ernie/bce-reranker-base]
  house: [q1/house-model]
`);
  const routes = new RouteTable(config, catalog, translatorFor, vectorsFor);
  const places = (asked: string, kind: 'chat' | 'embedding' | 'rerank', permit = caller): string[] | string => {
    const route = routes.route(asked, permit, kind);
    return route.ok ? route.candidates.map(({ backend, model }) => `${backend.name}/${model}`) : route.why;
  };

  test.each<[string, string[] | string, string[] | string, string[] | string]>([
    // asked, chat, embedding, rerank
    ['qwen-plus', ['q1/qwen-plus', 'q2/qwen-plus'], 'kind', 'kind'],
    ['text-embedding-v4', 'kind', ['q1/text-embedding-v4', 'q2/text-embedding-v4'], 'kind'],
    ['qwen3-rerank', 'kind', 'kind', ['q1/qwen3-rerank', 'q2/qwen3-rerank']],
    ['q1/text-embedding-v4', 'kind', ['q1/text-embedding-v4'], 'kind'],
    ['embed', 'kind', ['q2/text-embedding-v4', 'q1/text-embedding-v4'], 'kind'],
    ['weighed', 'kind', ['glm/embedding-3'], 'kind'],
    ['ranks', 'kind', 'kind', ['q1/qwen3-rerank', 'glm/rerank']],
    ['mixed', ['q1/qwen-plus'], ['glm/embedding-3'], ['ernie/bce-reranker-base']],
    // Nobody lists it: it may be what the file says it is.
    ['house', ['q1/house-model'], ['q1/house-model'], ['q1/house-model']],
    ['q1/house-model', ['q1/house-model'], ['q1/house-model'], ['q1/house-model']],
    ['embedding-9', 'kind', ['glm/embedding-9'], 'kind'],
    ['nobody-has-this', 'unknown', 'unknown', 'unknown'],
    ['text-embedding-3-small', 'unknown', 'unknown', 'unknown'],
  ])('%s', (asked, chat, embedding, rerank) => {
    expect(places(asked, 'chat')).toEqual(chat);
    expect(places(asked, 'embedding')).toEqual(embedding);
    expect(places(asked, 'rerank')).toEqual(rerank);
  });

  test('a model of another kind is unknown to whom it is not permitted', () => {
    const narrow = table('{}', undefined, "{ vendors: [glm], regions: ['*'] }").caller;
    expect(places('text-embedding-v4', 'chat', narrow)).toBe('unknown');
    expect(places('embedding-3', 'chat', narrow)).toBe('kind');
    expect(places('embed', 'embedding', narrow)).toEqual(['glm/embedding-3']);
  });

  test('all kinds are listed, each once', () => {
    const ids = routes.list(caller).map(({ id }) => id);
    expect(ids).toEqual(expect.arrayContaining(['embed', 'ranks', 'mixed', 'text-embedding-v4', 'embedding-3', 'rerank', 'qwen-plus']));
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids).not.toContain('gte-rerank');
    expect(ids).not.toContain('qwen-image-2.0');
  });

  test('without anybody who speaks to them, only chat is served', () => {
    const bare = new RouteTable(config, catalog, translatorFor);
    expect(bare.route('text-embedding-v4', caller, 'embedding')).toEqual({ ok: false, why: 'unknown', skipped: [] });
  });
});
