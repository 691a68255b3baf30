// The typings fit a program that uses all of them, and are checked by TypeScript's own compiler.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

test('the typings compile', () => {
  const compiler = fileURLToPath(new URL('../node_modules/typescript/bin/tsc', import.meta.url));
  const program = fileURLToPath(new URL('uses.ts', import.meta.url));
  const run = spawnSync(process.execPath, [
    compiler, '--noEmit', '--strict', '--skipDefaultLibCheck', '--target', 'es2022', '--lib', 'es2022,dom', '--module', 'nodenext', program,
  ], { encoding: 'utf8' });

  assert.equal(run.stdout + run.stderr, '');
});
