import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, extname, join, normalize } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { parseConfig } from '../../config/load.ts';
import { NOT_YET_ENFORCED } from '../../config/not-yet-enforced.ts';
import { formatProblem } from '../../config/problem.ts';
import { configKeys } from '../../config/reference.ts';
import { ERRORS, type ErrorName, OpenAIError } from '../../openai/errors.ts';
import type { RouteDeps } from '../../routes/http/deps.ts';
import { routeSpecs } from '../../server/app.ts';
import { VENDORS } from '../../translators/registry.ts';
import { makeCertificates, OPENSSL } from '../certificates.ts';
import { page, pages, root, rows } from './pages.ts';

const guides = pages.filter(({ path }) => !path.startsWith('docs/generated/'));

describe('links', () => {
  /** Headings as anchors, as GitHub and most renderers make them. */
  const anchors = (markdown: string): string[] =>
    [...markdown.matchAll(/^#+ (.+)$/gm)].map((match) =>
      (match[1] as string)
        .toLowerCase()
        .replace(/[^\w\- ]/g, '')
        .replaceAll(' ', '-'),
    );
  const links = pages.flatMap(({ path, text }) =>
    [...text.matchAll(/\]\(([^)\s]+)\)/g)]
      .map((match) => ({ path, link: match[1] as string }))
      .filter(({ link }) => !/^https?:/.test(link)),
  );

  test('there are some', () => expect(links.length).toBeGreaterThan(40));

  test.each(links)('$path → $link', ({ path, link }) => {
    const [file, anchor] = link.split('#') as [string, string?];
    const target = file === '' ? path : normalize(join(dirname(path), file));
    expect(existsSync(root + target), target).toBe(true);
    if (anchor !== undefined) expect(anchors(readFileSync(root + target, 'utf8'))).toContain(anchor);
  });

  test('every guide and decision can be reached from the README, or from the page that does', () => {
    const linked = new Set(links.map(({ path, link }) => normalize(join(dirname(path), link.split('#')[0] as string))));
    const missing = guides.filter(({ path }) => path.startsWith('docs/guide/') && !linked.has(path)).map(({ path }) => path);
    expect(missing).toEqual([]);
    expect(linked).toContain('docs/decisions/');
  });
});

/** Shows `estafet check --config`, an option that `check` does not take. The line goes when the page is right. */
const OPTIONS_UNCHECKED: readonly string[] = [];

describe('commands', () => {
  const asked = new Map<string, string>();
  const ask = (...args: string[]): string => execFileSync(process.execPath, [`${root}cli/cli.js`, ...args, '--help'], { encoding: 'utf8' });
  const help = (command = ''): string => {
    const text = asked.get(command) ?? ask(...command.split(' ').filter((word) => word !== ''));
    asked.set(command, text);
    return text;
  };
  const scripts = Object.keys((JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as { scripts: Record<string, string> }).scripts);
  const commands = [...help().matchAll(/^ {2}([a-z]+)(?: \[|$| {2})/gm)].map((match) => match[1] as string);
  /** Everything a reader may type: code spans, and shell blocks with their continued lines joined. */
  const typed = guides.flatMap(({ path, blocks, spans }) => {
    const shell = blocks.filter(({ language }) => language === 'sh' || language === '');
    const lines = shell.flatMap(({ text }) => text.replaceAll('\\\n', ' ').split('\n'));
    return [...spans, ...lines].map((code) => ({ path, code }));
  });

  test('the help lists commands', () => expect(commands).toEqual(expect.arrayContaining(['serve', 'check', 'simulate'])));

  const npm = typed.flatMap(({ path, code }) =>
    [...code.matchAll(/\bnpm (?:run ([\w:-]+)|(start|test)\b)/g)].map((match) => ({ path, script: match[1] ?? match[2] })),
  );
  test.each(npm)('$path: npm script $script', ({ script }) => expect(scripts).toContain(script));

  const estafet = typed.flatMap(({ path, code }) =>
    [...code.matchAll(/(?:^|\s)estafet ([a-z]\w*)([^#&|;]*)/g)].map((match) => ({
      path,
      command: match[1] as string,
      rest: match[2] ?? '',
    })),
  );
  test('some commands are named', () => expect(estafet.length).toBeGreaterThan(5));
  test.each(estafet)('$path: estafet $command $rest', ({ path, command, rest }) => {
    expect(commands).toContain(command);
    // `simulate` hands its options on to the simulator.
    if (command === 'simulate' || OPTIONS_UNCHECKED.includes(path)) return;
    // `estafet key new …`: the options are those of the inner command.
    const inner = /^ ([a-z]+)/.exec(rest)?.[1];
    const known = help(inner !== undefined && new RegExp(`^ {2}${inner} \\[`, 'm').test(help(command)) ? `${command} ${inner}` : command);
    for (const [option] of rest.matchAll(/--[a-z-]+/g)) expect(known).toContain(option);
  });

  const serving = typed.filter(({ code }) => code.includes('npm start -- '));
  test.each(serving)('$path: $code', ({ code }) => {
    const known = help('serve');
    for (const [option] of code.slice(code.indexOf('npm start -- ') + 13).matchAll(/--[a-z-]+/g)) expect(known).toContain(option);
  });
});

describe('configuration', () => {
  /** What a fragment leaves out. */
  const REST: Readonly<Record<string, string>> = {
    backends:
      'backends: { qwen: { vendor: qwen, apiKey: env:Q }, ernie: { vendor: ernie, apiKey: env:E }, glm: { vendor: glm, apiKey: env:G } }',
    teams: "teams: { default: { permit: { vendors: [qwen, ernie, glm], regions: ['cn-*'] } } }",
    keys: 'keys: [{ name: rest, team: default, key: env:K }]',
  };
  const blocks = guides.flatMap(({ path, blocks: all }) =>
    all.filter(({ language }) => language === 'yaml').map((block) => ({ path, line: block.line, text: block.text })),
  );

  /** What the files hold that blocks name: where there is no program to make certificates, blocks that name some are left out. */
  const made = OPENSSL.length === 0 ? null : makeCertificates();
  afterAll(() => made?.remove());
  const PEM: Readonly<Record<string, string | undefined>> = {
    '.pem': made?.ca,
    '.crt': made?.client.certificate,
    '.key': made?.client.key,
  };
  const readFile = (path: string): Uint8Array => {
    const pem = PEM[extname(path)];
    return pem === undefined ? Buffer.from('secret') : readFileSync(pem);
  };

  test('there are some blocks', () => expect(blocks.length).toBeGreaterThan(6));

  test.each(made === null ? blocks.filter(({ text }) => !text.includes('.pem')) : blocks)(
    '$path:$line is a good file, or a part of one',
    ({ text }) => {
      const written = (parse(text.replace(/(?<!")(\$\{\w+\})(?!")/g, '"$1"')) ?? {}) as Record<string, unknown>;
      const missing = Object.keys(REST).filter((section) => !Object.hasOwn(written, section));
      const whole = [text, ...missing.map((section) => REST[section])].join('\n');
      const names = [...whole.matchAll(/\$\{(\w+)\}|env:(\w+)/g)].map((match) => (match[1] ?? match[2]) as string);
      const env = Object.fromEntries([...new Set(names)].map((name, index) => [name, `id${index}.0123456789abcdef0123456789abcdef`]));
      const result = parseConfig(whole, { file: 'estafet.yaml', env, readFile, vendors: VENDORS });
      expect(result.ok ? result.warnings.map(formatProblem) : result.problems.map(formatProblem)).toEqual([]);
    },
  );

  const known = configKeys(VENDORS).map(({ path }) => path.replaceAll('.<name>', '').replaceAll('[]', ''));
  const mentioned = guides.flatMap(({ path, spans }) =>
    spans
      .filter((span) => /^(server|backends|models|teams|keys|timeouts|permit|limits|books)\.[A-Za-z]/.test(span))
      .map((key) => ({ path, key })),
  );

  test.each(mentioned)('$path: there is a key $key', ({ key }) => {
    expect(known.some((path) => path === key || path.endsWith(`.${key}`))).toBe(true);
  });

  test.each(NOT_YET_ENFORCED)('the README says that $what not in force', ({ path }) => {
    const after = page('README.md').text.split('| not yet |')[1] ?? '';
    expect(rows(`|${after}`).some((cells) => cells[0]?.includes(`\`${path.at(-1)}\``))).toBe(true);
  });
});

describe('the HTTP surface', () => {
  const served = routeSpecs({} as RouteDeps).map(({ method, path }) => `${method.toUpperCase()} ${path}`);
  const [works = '', notYet = ''] = page('README.md').text.split('| not yet |');
  const named = [...works.matchAll(/`(GET|POST) (?:\/v1)?(\/[a-z/]+)(\{id\})?`/g)].map(
    (match) => `${match[1]} ${match[2]}${match[3] ?? ''}`,
  );

  test('the README names every route, and no other', () => {
    const asWritten = served.map((route) => route.replace(/[*:]id$/, '{id}'));
    expect([...new Set(named)].sort()).toEqual([...asWritten].sort());
  });

  test.each([...notYet.matchAll(/`(?:\/v1)?(\/[a-z.]+)`/g)].map((match) => match[1] as string))('%s is not there yet', (path) => {
    if (path === '/v1') return;
    expect(served.some((route) => route.endsWith(` ${path}`))).toBe(false);
  });
});

describe('errors', () => {
  const codes = new Map(
    (Object.keys(ERRORS) as ErrorName[]).map((name) => [String(new OpenAIError(name, '').code), new OpenAIError(name, '').status]),
  );
  const told = rows(page('docs/guide/errors.md').text)
    .filter(([status]) => /^\d{3}$/.test(status ?? ''))
    .flatMap(([status, code]) =>
      [...(code ?? '').matchAll(/`([a-z_]+)`/g)].map((match) => ({ status: Number(status), code: match[1] as string })),
    );

  test('the guide tells some', () => expect(told.length).toBeGreaterThan(15));
  // OpenAI's code is null for several statuses.
  test.each(told.filter(({ code }) => code !== 'null'))('$code has status $status', ({ status, code }) =>
    expect(codes.get(code)).toBe(status),
  );
});

describe('files', () => {
  const named = guides.flatMap(({ path, spans }) =>
    spans.filter((span) => /^[a-z][\w<>.-]*\/[\w<>./-]*(\.(ts|js|yaml)|\/)$/.test(span)).map((file) => ({ path, file })),
  );
  // Built, not kept.
  test.each(named.filter(({ file }) => !file.startsWith('dist/')))('$path: there is $file', ({ file }) => {
    for (const vendor of file.includes('<vendor>') ? Object.keys(VENDORS) : [''])
      expect(existsSync(root + file.replace('<vendor>', vendor))).toBe(true);
  });
});
