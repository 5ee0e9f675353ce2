#!/usr/bin/env node
// Plain JavaScript without static imports: an old Node must get this far to say what it lacks.
const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 19)) {
  console.error(`Estafet needs Node 22.19 or newer (24 LTS is recommended); this is ${process.versions.node}.`);
  process.exit(1);
}
const { main } = await import(import.meta.url.endsWith('/dist/cli/cli.js') ? './main.js' : './main.ts');
await main(process.argv);
