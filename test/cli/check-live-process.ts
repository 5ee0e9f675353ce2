import { readFileSync } from 'node:fs';
import { check } from '../../cli/check.ts';
import type { VENDORS } from '../../translators/registry.ts';

/** `estafet check FILE --live --json` with another table of vendors: `check-live-process.ts FILE TABLE [text]`. */
const [file = '', table = '', form] = process.argv.slice(2);
await check(file, { live: true, json: form !== 'text' }, JSON.parse(readFileSync(table, 'utf8')) as typeof VENDORS);
