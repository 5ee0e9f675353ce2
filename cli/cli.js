#!/usr/bin/env node
// Plain JavaScript without static imports: an old Node must get this far to say what it lacks.
const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 19)) {
  console.error(`Estafet needs Node 22.19 or newer (24 LTS is recommended); this is ${process.versions.node}.`);
  process.exit(1);
}
const compiled = import.meta.url.endsWith('/dist/cli/cli.js');
if (compiled) {
  // What V8 makes of the code is kept beside it, for the next start: not in the temporary folder, where others could leave code for this
  // process to run. By the variable, so that workers and threads inherit it. Where nothing can be written Node goes without, and says nothing.
  const [{ enableCompileCache }, { fileURLToPath }] = await Promise.all([import('node:module'), import('node:url')]);
  process.env.NODE_COMPILE_CACHE ||= fileURLToPath(new URL('../../.cache/compiled', import.meta.url));
  enableCompileCache(process.env.NODE_COMPILE_CACHE);
}
const { main } = await import(compiled ? './main.js' : './main.ts');
await main(process.argv);
