// A session in Node against OrtPeft's own logits.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import * as ort from 'onnxruntime-web/wasm';
import { LoraSession } from '../src/index.js';
import { expected, file, skip } from './exported.js';
import { logits, open } from './run.js';

let model;
let due;

before(async () => {
  if (!skip)
    [model, due] = [await open(ort, file), await expected()];
});

after(() => model?.release());

const near = (found, wanted) => assert.ok(
  found.length === wanted.length && found.every((value, i) => Math.abs(value - wanted[i]) < 1e-4), 'the logits differ');

test('the base and each adapter answer as in OrtPeft, in any order', { skip }, async () => {
  for (const name of ['a', undefined, 'b', 'a', undefined])
    near(await logits(ort, model, due.ids, name), due[name ?? 'base']);
  assert.ok(due.a.some((value, i) => Math.abs(value - due.base[i]) > 0.01), 'the adapter changes nothing');
});

test('runs that overlap get their own adapters', { skip }, async () => {
  const names = ['a', undefined, 'b', 'b', 'a'];
  const found = await Promise.all(names.map(name => logits(ort, model, due.ids, name)));
  found.forEach((values, i) => near(values, due[names[i] ?? 'base']));
});

test('inputs of adapters are not asked for', { skip }, () => {
  assert.ok(model.inputNames.includes('input_ids'));
  assert.ok(model.inputNames.every(name => !name.includes('lora')));
  assert.deepEqual(model.outputNames[0], 'logits');
});

test('adapters are replaced and unloaded by name', { skip }, async () => {
  await model.load('c', await file('a.onnx_adapter'));
  await model.load('c', await file('b.onnx_adapter'));
  near(await logits(ort, model, due.ids, 'c'), due.b);
  assert.deepEqual(model.adapters, ['a', 'b', 'c']);
  assert.ok(model.unload('c'));
  assert.ok(!model.unload('c'));
  await assert.rejects(() => logits(ort, model, due.ids, 'c'), /There is no adapter 'c'; loaded are: a, b\./);
});

test('an adapter of another model is refused and changes nothing', { skip }, async () => {
  const bytes = await file('a.onnx_adapter');
  const text = Buffer.from(bytes).toString('latin1').replace('h.0.attn', 'h.9.attn');
  await assert.rejects(() => model.load('a', Buffer.from(text, 'latin1')), /for another model: there is no input '.*h\.9\.attn/);
  near(await logits(ort, model, due.ids, 'a'), due.a);
});

test('a model without inputs for LoRA is refused', () => {
  assert.throws(() => new LoraSession(ort, { inputMetadata: [{ name: 'input_ids', type: 'int64', shape: [] }] }), /--required-inputs/);
});

test('shapes and ranks that do not fit are refused', async () => {
  const inputMetadata = [
    { name: 'm.lora_A.weight', type: 'float32', shape: [4, 'r'] },
    { name: 'm.lora_B.weight', type: 'float32', shape: ['r', 3] },
  ];
  const session = new LoraSession(ort, { inputMetadata, inputNames: [], outputNames: [] });
  const { adapterFile } = await import('./write-adapter.js');
  const load = (a, b, type = 1) => session.load('x', adapterFile([
    { name: 'm.lora_A.weight', type, dims: a },
    ...(b ? [{ name: 'm.lora_B.weight', type, dims: b }] : []),
  ]));

  await load([4, 2], [2, 3]);
  assert.deepEqual(session.adapters, ['x']);
  await assert.rejects(() => load([5, 2], [2, 3]), /is \[5,2\], and the input \[4,r\]/);
  await assert.rejects(() => load([4, 2], [1, 3]), /not of one rank/);
  await assert.rejects(() => load([4, 2], undefined), /not of one rank/);
  await assert.rejects(() => load([4, 2, 1], [2, 3]), /for another model/);
  await assert.rejects(() => load([4, 2], [2, 3], 10), /is float16, and the input float32/);
});
