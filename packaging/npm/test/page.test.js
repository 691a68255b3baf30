// The module in headless Chromium, from files as a server has them. CHROMIUM names its executable.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { expected, skip as missing } from './exported.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const executablePath = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']
  .find(path => path && existsSync(path));
const skip = missing || (executablePath ? false : 'Chromium is not installed; CHROMIUM can name its executable');
const types = { '.js': 'text/javascript', '.mjs': 'text/javascript', '.wasm': 'application/wasm' };

const page = `<!doctype html><title>LoRA</title><script type="module">
  import * as ort from '/node_modules/onnxruntime-web/dist/ort.wasm.min.mjs';
  import { logits, open } from '/test/run.js';
  const fetched = async name => new Uint8Array(await (await fetch('/exported/' + name)).arrayBuffer());
  window.results = (async () => {
    const due = await (await fetch('/expected')).json();
    const model = await open(ort, fetched);
    await model.load('fetched', '/exported/a.onnx_adapter');
    const missing = await model.load('none', '/exported/none.onnx_adapter').catch(error => error.message);
    const found = { missing };
    for (const name of ['a', 'base', 'b', 'fetched'])
      found[name] = await logits(ort, model, due.ids, name === 'base' ? undefined : name);
    return found;
  })();
</script>`;

async function answer(request, response) {
  const path = new URL(request.url, 'http://localhost').pathname;
  const file = path === '/expected' ? process.env.EXPECTED
    : path.startsWith('/exported/') ? join(process.env.EXPORTED, path.slice('/exported/'.length))
    : join(root, path);
  const body = path === '/' ? page : await readFile(file).catch(() => undefined);
  const type = path === '/' ? 'text/html' : types[extname(path)] ?? 'application/octet-stream';
  response.writeHead(body === undefined ? 404 : 200, { 'content-type': type }).end(body);
}

test('a page switches between adapters', { skip }, async () => {
  const server = createServer(answer);
  await new Promise(resolve => server.listen(0, '127.0.0.1', resolve));
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  try {
    const tab = await browser.newPage();
    await tab.goto(`http://127.0.0.1:${server.address().port}/`);
    const [found, due] = [await tab.evaluate(() => window.results), await expected()];
    due.fetched = due.a;
    for (const name of ['base', 'a', 'b', 'fetched'])
      assert.ok(found[name].every((value, i) => Math.abs(value - due[name][i]) < 1e-4), name);
    assert.match(found.missing, /none\.onnx_adapter: 404/);
  } finally {
    await browser.close();
    server.close();
  }
});
