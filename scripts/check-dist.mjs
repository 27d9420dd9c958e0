#!/usr/bin/env node
// npm run check:dist: imports every built module. Some ESM mistakes (a named import that a CommonJS package does not
// have) pass the type check and the tests, and fail only in dist.
import { readdirSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';

const src = fileURLToPath(new URL('../dist/src/', import.meta.url));
const modules = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter(
  // a main does its work when it is imported
  (file) => file.endsWith('.js') && !/(^|\/)main\.js$/.test(file),
);
let failed = 0;
for (const file of modules) {
  await import(pathToFileURL(src + file).href).catch((error) => {
    failed++;
    console.error(`✗ ${file}: ${error.message.split('\n')[0]}`);
  });
}
console.log(`${modules.length - failed} of ${modules.length} built modules can be imported`);
process.exit(failed === 0 ? 0 : 1);
