// The page in headless Chromium: trains with each runtime, shows what it should, hands out the adapter.
// RESULTS: a folder to leave the adapters and losses in. ARTIFACTS, CHROMIUM: as server.js and chromium.js have them.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { serve } from '../server.js';
import { findChromium } from './chromium.js';

const executablePath = findChromium();
const skip = executablePath ? false : 'Chromium is not installed; CHROMIUM can name its executable';
const text = [
  'Occurs when the user clicks the splitter. This is an event in System.ComponentModel.',
  'Gets the number of elements contained in the queue. This is a property in System.Collections.',
  'Reads the next node from the stream. This is a method in System.Xml.',
  'Represents an address on the network. This is a type in System.Net.',
].join('\n');

let browser;
let server;

before(async () => {
  if (skip)
    return;
  browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  server = await serve(0);
});

after(async () => {
  await browser?.close();
  server?.close();
});

async function openPage(size = { width: 1180, height: 900 }) {
  const page = await browser.newPage({ viewport: size });
  page.setDefaultTimeout(120_000);
  const errors = [];
  page.on('pageerror', error => errors.push(error.message));
  await page.goto(`http://localhost:${server.address().port}/`);
  return { page, errors };
}

async function train(page, { runtime, steps, maxTokens = 24 }) {
  for (const id of ['#curve', '#samples', '#try'])
    assert.ok(!await page.isVisible(id), `${id} is shown before there is something to show`);
  await page.locator('details').evaluate(details => details.open = true);
  await page.check(`input[value="${runtime}"]`);
  await page.fill('[name=text]', text);
  await page.fill('[name=prompt]', 'Represents an address');
  await page.fill('[name=steps]', String(steps));
  await page.fill('[name=batchSize]', '4');
  await page.fill('[name=maxTokens]', String(maxTokens));
  await page.click('#start');
}

// A second run fetches no artifacts, starts from the base again, and says that a long line is split.
async function runsAgain(page) {
  const before = await lossOf(page, 'before');
  const fetched = [];
  page.on('request', request => fetched.push(request.url()));
  await page.fill('[name=text]', `${text}\n${'Gets the number of elements. '.repeat(60)}`);
  await page.fill('[name=steps]', '1');

  await page.click('#start');
  await finished(page);

  assert.equal(await page.textContent('#error'), '');
  assert.match(await page.textContent('#note'), /^1 line was split into \d+ rows of up to 128 tokens\.$/);
  assert.deepEqual(fetched.filter(url => url.includes('/artifacts/')), []);
  assert.ok(await lossOf(page, 'before') > before / 2, 'the second run began where the first ended');
}

const finished = page => page.waitForSelector('#start:not([disabled])');
const lossOf = async (page, when) => Number(await page.getAttribute(`#loss-${when}`, 'data-loss'));

for (const runtime of ['ort', 'ort-training']) {
  test(`${runtime} trains in the page`, { skip }, async () => {
    const { page, errors } = await openPage();

    await train(page, { runtime, steps: 15 });
    await finished(page);

    assert.equal(await page.textContent('#error'), '');
    assert.deepEqual(errors, []);
    const result = {
      before: await lossOf(page, 'before'),
      after: await lossOf(page, 'after'),
      textBefore: await page.textContent('#text-before'),
      textAfter: await page.textContent('#text-after'),
    };
    assert.ok(result.after < result.before / 2, `loss ${result.before} became ${result.after}`);
    assert.notEqual(result.textBefore, '');
    assert.notEqual(result.textAfter, result.textBefore);
    assert.match(await page.getAttribute('#chart', 'aria-label'), /at step 15$/);
    const [download] = await Promise.all([page.waitForEvent('download'), page.click('#download')]);
    assert.equal(download.suggestedFilename(), 'adapter.zip');
    await page.fill('#try-prompt', 'Gets the number');
    await page.click('#try-start');
    await finished(page);
    assert.match(await page.textContent('#try-text'), /\w/);
    assert.equal(await page.textContent('#status'), 'Written on WebAssembly.');
    const [model] = await Promise.all([page.waitForEvent('download'), page.click('#download-model')]);
    assert.equal(model.suggestedFilename(), 'model.zip');
    assert.equal(await page.textContent('#error'), '');
    if (process.env.RESULTS) {
      await download.saveAs(join(process.env.RESULTS, `${runtime}.zip`));
      await model.saveAs(join(process.env.RESULTS, `${runtime}-model.zip`));
      await writeFile(join(process.env.RESULTS, `${runtime}.json`), JSON.stringify({ ...result, text }));
    }
    await runsAgain(page);
    assert.deepEqual(errors, []);
    await page.close();
  });
}

// Chromium's software device; elsewhere in these tests there is none, and all runs in WebAssembly.
const softwareDevice = ['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader', '--enable-features=Vulkan'];

// What runs in WebAssembly all the same, for lists of tokens and places: anywhere, and on labels and on rows' lengths.
const ofLists = new Set(['Shape', 'Concat', 'Squeeze', 'Unsqueeze', 'Range', 'Add', 'LessOrEqual', 'Cast']);
const ofLabels = new Set(['Slice', 'Expand', 'Reshape', 'Equal', 'Where', 'Gather', 'NonZero', 'Size', 'Mul']);

function isOfWholeNumbers([op, node]) {
  return ofLists.has(op) || (/^\/(loss|lengths)\//.test(node) && ofLabels.has(op));
}

test('a model trains and writes on WebGPU as in WebAssembly', { skip }, async t => {
  const withDevice = await chromium.launch({ executablePath, args: ['--no-sandbox', ...softwareDevice] });
  t.after(() => withDevice.close());
  const page = await withDevice.newPage();
  page.setDefaultTimeout(240_000);
  const log = [];
  page.on('console', message => log.push(message.text()));
  // Sessions on WebGPU that say what runs where.
  for (const file of ['runtimes.js', 'tuned-model.js']) {
    await page.route(`**/src/${file}`, async route => {
      const response = await route.fetch();
      const source = await response.text();
      const logging = source.replace("executionProviders: ['webgpu']", '$&, logSeverityLevel: 1');
      assert.notEqual(logging, source, file);
      await route.fulfill({ response, body: logging });
    });
  }

  const results = {};
  for (const runtime of ['ort', 'webgpu']) {
    await page.goto(`http://localhost:${server.address().port}/`);
    await train(page, { runtime, steps: 2, maxTokens: 4 });
    await finished(page);
    assert.equal(await page.textContent('#error'), '');
    results[runtime] = {
      losses: [await lossOf(page, 'before'), await lossOf(page, 'after')],
      texts: [await page.textContent('#text-before'), await page.textContent('#text-after')],
    };
  }
  await page.click('#try-start');
  await finished(page);

  assert.equal(await page.textContent('#error'), '');
  assert.equal(await page.textContent('#status'), 'Written on WebGPU.');
  const { ort, webgpu } = results;
  assert.ok(ort.losses[1] < ort.losses[0]);
  // float32 on other kernels, as between the runtimes.
  assert.ok(ort.losses.every((loss, i) => Math.abs(loss - webgpu.losses[i]) < 1e-4), `${ort.losses} and ${webgpu.losses}`);
  assert.deepEqual(webgpu.texts, ort.texts);
  assert.equal(await page.textContent('#try-text'), ort.texts[1]);
  const strays = log.map(line => /kernel not found in registries for Op type: (\w+) node name: (\S+)/.exec(line)?.slice(1));
  assert.deepEqual(strays.filter(stray => stray && !isOfWholeNumbers(stray)), []);
  for (const program of ['MatMul', 'Softmax', 'LayerNorm', 'Gather', 'ReduceSum'])
    assert.ok(log.some(line => line.includes(`Starting program "${program}`)), `${program} did not run on the device`);
});

test('without a device WebGPU cannot be chosen', { skip }, async () => {
  const { page } = await openPage();
  await page.locator('details').evaluate(details => details.open = true);

  assert.ok(await page.isDisabled('input[value="webgpu"]'));
  assert.ok(await page.isEnabled('input[value="ort"]'));
  await page.close();
});

test('Stop ends early and keeps what was learned', { skip }, async () => {
  const { page } = await openPage();

  await train(page, { runtime: 'ort', steps: 10_000 });
  await page.waitForFunction(() => document.getElementById('progress').value >= 2);
  await page.click('#stop');
  await finished(page);

  assert.match(await page.textContent('#status'), /^\d{1,3} steps over 4 rows/);
  assert.ok(await page.isVisible('#download'));
  await page.close();
});

test('a text of white space is refused before anything is loaded', { skip }, async () => {
  const { page } = await openPage();
  const fetched = [];
  page.on('request', request => fetched.push(request.url()));

  await page.fill('[name=text]', ' \n ');
  await page.click('#start');

  assert.match(await page.textContent('#error'), /nothing to learn from/);
  assert.deepEqual(fetched, []);
  await page.close();
});

test('missing artifacts are an error that says what to run', { skip }, async () => {
  const { page } = await openPage();
  await page.route('**/artifacts/**', route => route.fulfill({ status: 404 }));

  await train(page, { runtime: 'ort', steps: 1 });
  await finished(page);

  assert.match(await page.textContent('#error'), /artifacts\.json is missing \(HTTP 404\).*npm run artifacts/);
  await page.close();
});

test('packages that are not installed are an error that says so', { skip }, async () => {
  const { page } = await openPage();
  await page.route('**/node_modules/**', route => route.fulfill({ status: 404 }));

  await train(page, { runtime: 'ort', steps: 1 });
  await finished(page);

  assert.match(await page.textContent('#error'), /npm install/);
  await page.close();
});

test('a phone shows the page without scrolling sideways', { skip }, async () => {
  const { page } = await openPage({ width: 360, height: 740 });

  const width = await page.evaluate(() => document.documentElement.scrollWidth);

  assert.equal(width, 360);
  await page.close();
});
