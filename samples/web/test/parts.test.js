// What needs neither a model nor a browser.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dataFeeds } from '../src/feeds.js';
import { generate } from '../src/generate.js';
import { numberIn } from '../src/numbers.js';
import { mergeLora, whyNotMerged } from '../src/onnx.js';
import { collate, inOrder, randomFrom, rowsOf, shuffled, supervised } from '../src/rows.js';
import { readSafetensors, writeSafetensors } from '../src/safetensors.js';
import { hasSimd } from '../src/simd.js';

const letters = { endId: 0, encode: text => [...text].map(letter => letter.charCodeAt(0)) };

class Tensor {
  constructor(type, data, dims) {
    Object.assign(this, { type, data, dims });
  }
}

test('lines become rows with an end, blank ones do not', () => {
  assert.deepEqual(rowsOf('ab\r\n\n  c \n', letters, 8), [[97, 98, 0], [99, 0]]);
});

test('a line that ends with the end of text gets no second one', () => {
  assert.deepEqual(rowsOf('ab\0', letters, 8), [[97, 98, 0]]);
});

test('a long line is cut, and no row is too short to predict in', () => {
  const rows = rowsOf('abcdefgh', letters, 4);

  assert.deepEqual(rows, [[97, 98, 99, 100], [101, 102, 103, 104]]);
});

test('a number field that the browser cannot read is refused by name, unless it does not count', () => {
  const unread = { name: 'learningRate', valueAsNumber: NaN };

  assert.equal(numberIn({ name: 'steps', valueAsNumber: 60 }), 60);
  assert.throws(() => numberIn(unread), /learningRate is not a number/);
  assert.ok(Number.isNaN(numberIn({ ...unread, disabled: true })));
});

test('a batch is padded on the right with what does not count', () => {
  const batch = collate([[5, 6, 7], [8, 9]]);

  assert.deepEqual(batch.dims, [2, 3]);
  assert.deepEqual([...batch.attention_mask], [1n, 1n, 1n, 1n, 1n, 0n]);
  assert.deepEqual([...batch.labels], [5n, 6n, 7n, 8n, 9n, -100n]);
  assert.equal(supervised(batch), 3);
  assert.equal(supervised(batch, 20), 5);
});

test('shuffled batches show every row once before any row again', () => {
  const rows = Array.from({ length: 10 }, (_, i) => [i, i]);
  const batches = shuffled(rows, 5, randomFrom(7));

  const seen = [batches.next(), batches.next()].flatMap(({ value }) => [...value.input_ids].filter((_, i) => i % 2));

  assert.deepEqual(seen.map(Number).sort((a, b) => a - b), rows.map(([id]) => id));
});

test('a batch is never larger than the rows there are', () => {
  assert.deepEqual(shuffled([[1, 2], [3, 4]], 8, randomFrom(0)).next().value.dims, [2, 2]);
  assert.deepEqual([...inOrder([[1, 2], [3, 4], [5, 6]], 2)].map(batch => batch.dims[0]), [2, 1]);
});

test('inputs are fed in the type that the model asks for, a past without elements', () => {
  const inputs = [
    { name: 'input_ids', role: 'data', dtype: 'int32', dims: ['batch', 'sequence'] },
    { name: 'attention_mask', role: 'data', dtype: 'float32', dims: ['batch', 'sequence'] },
    { name: 'past', role: 'empty_past', dtype: 'float32', dims: ['batch', 4, 0, 8] },
    { name: 'lora', role: 'parameter', dtype: 'float32', dims: [8, 8] },
  ];

  const feeds = dataFeeds({ Tensor }, { inputs }, collate([[1, 2], [3, 4]]));

  assert.deepEqual(Object.keys(feeds), ['input_ids', 'attention_mask', 'past']);
  assert.deepEqual(feeds.input_ids.data, Int32Array.of(1, 2, 3, 4));
  assert.deepEqual(feeds.attention_mask.data, Float32Array.of(1, 1, 1, 1));
  assert.deepEqual(feeds.past.dims, [2, 4, 0, 8]);
});

test('an input that the page does not have is named', () => {
  const inputs = [{ name: 'token_type_ids', role: 'data', dtype: 'int64', dims: [] }];

  assert.throws(() => dataFeeds({ Tensor }, { inputs }, collate([[1, 2]])), /token_type_ids/);
});

test('safetensors are read as they were written', () => {
  const tensors = new Map([
    ['a', { dims: [2, 2], data: Float32Array.of(1, 2, 3, 4) }],
    ['ä', { dims: [1], data: Float32Array.of(-0.5) }],
  ]);

  const bytes = writeSafetensors(tensors);

  assert.deepEqual(readSafetensors(bytes), tensors);
  assert.equal(Number(new DataView(bytes.buffer).getBigUint64(0, true)) % 8, 0);
});

// A model whose initializer is in its data file: dims, name and external data, as onnx.proto numbers them.
function modelOf(name, dims, offset, length) {
  const bytes = text => [...new TextEncoder().encode(text)];
  const field = (number, content) => [number * 8 + 2, content.length, ...content];
  const entry = (key, value) => field(13, [...field(1, bytes(key)), ...field(2, bytes(value))]);
  const initializer = [
    ...dims.flatMap(dim => [8, dim]), 16, 1, ...field(8, bytes(name)),
    ...entry('location', 'x'), ...entry('offset', `${offset}`), ...entry('length', `${length}`), 112, 1,
  ];
  const graph = field(5, initializer);
  return Uint8Array.from([8, 9, 7 * 8 + 2, graph.length, ...graph]);
}

for (const [layout, isTurned] of [['[out, in]', false], ['[in, out]', true]]) {
  test(`LoRA is merged into a weight of ${layout}`, () => {
    const weights = new Map([
      ['base_model.model.h.lora_A.weight', { dims: [1, 3], data: Float32Array.of(1, 2, 3) }],
      ['base_model.model.h.lora_B.weight', { dims: [2, 1], data: Float32Array.of(10, 100) }],
    ]);
    const model = modelOf('h.weight', isTurned ? [3, 2] : [2, 3], 4, 24);
    const config = { peft_type: 'LORA', r: 1, lora_alpha: 2, fan_in_fan_out: isTurned };

    const merged = mergeLora(model, new Uint8Array(28), config, weights);

    const expected = isTurned ? [20, 200, 40, 400, 60, 600] : [20, 40, 60, 200, 400, 600];
    assert.deepEqual([...new Float32Array(merged.buffer)], [0, ...expected]);
  });
}

test('an adapter for another model is refused, and so is a method that is not plain LoRA', () => {
  const weights = new Map([['base_model.model.g.lora_A.weight', { dims: [1, 3], data: new Float32Array(3) }]]);
  const config = { peft_type: 'LORA', lora_alpha: 2 };

  assert.throws(() => mergeLora(modelOf('h.weight', [2, 3], 0, 24), new Uint8Array(24), config, weights), /g\.weight/);
  assert.match(whyNotMerged({ ...config, use_dora: true }), /ortpeft merge/);
  assert.match(whyNotMerged({ peft_type: 'IA3' }), /ortpeft merge/);
  assert.equal(whyNotMerged(config), undefined);
});

test('writing goes on with the likeliest token until the end of the text', async () => {
  const trainer = { evaluate: async batch => ({ predictions: following(batch) }) };

  const text = await generate(
    trainer, { ...letters, decode: ids => String.fromCharCode(...ids) }, 'a', { maxTokens: 10, rowLength: 128 });

  assert.equal(text, 'bcd');
});

test('a prompt that fills the context is refused', async () => {
  await assert.rejects(generate({}, letters, 'abcd', { maxTokens: 1, rowLength: 4 }), /4 tokens/);
});

test('Node, like browsers, has SIMD', () => {
  assert.ok(hasSimd());
});

// Logits of a model that counts: after a comes b, and after d the end.
function following({ dims: [, columns], input_ids: ids }) {
  const vocabulary = 128;
  const data = new Float32Array(columns * vocabulary);
  for (let i = 0; i < columns; i++)
    data[i * vocabulary + (ids[i] === 100n ? 0 : Number(ids[i]) + 1)] = 1;
  return { dims: [1, columns, vocabulary], data };
}
