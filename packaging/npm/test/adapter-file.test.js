// The reader of adapter files, on right and on hostile ones.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readAdapter } from '../src/adapter-file.js';
import { file, skip } from './exported.js';
import { adapterFile } from './write-adapter.js';

const tensor = { name: 'm.lora_A.weight', type: 1, dims: [4, 2] };
const refused = /The adapter is not an adapter file of ONNX Runtime, or it is damaged: /;

test('a file gives its tensors', () => {
  const found = readAdapter(adapterFile([tensor, { ...tensor, name: 'é', type: 10, dims: [3] }]));

  assert.deepEqual([...found.keys()], ['m.lora_A.weight', 'é']);
  assert.deepEqual(found.get('m.lora_A.weight'), { type: 'float32', dims: [4, 2], data: new Float32Array(8) });
  assert.deepEqual(found.get('é'), { type: 'float16', dims: [3], data: new Uint16Array(3) });
});

test('a part of a larger buffer is read where it lies', () => {
  const bytes = adapterFile([tensor]);
  const larger = new Uint8Array(bytes.length + 7);
  larger.set(bytes, 3);

  assert.equal(readAdapter(larger.subarray(3, 3 + bytes.length)).size, 1);
  assert.throws(() => readAdapter(larger.subarray(3, 2 + bytes.length)), refused);
});

test('a file of the command gives its tensors', { skip }, async () => {
  const found = readAdapter(new Uint8Array(await file('a.onnx_adapter')));

  for (const [name, { type, dims, data }] of found) {
    assert.match(name, /\.lora_[AB]\.weight$/);
    assert.equal(type, 'float32');
    assert.equal(data.length, dims[0] * dims[1]);
    assert.ok(data.some(value => value !== 0) && data.every(Number.isFinite), name);
  }
});

for (const [what, bytes, message] of [
  ['nothing', new Uint8Array(0), /TORT/],
  ['another mark', adapterFile([tensor], { mark: 'ORTM' }), /TORT/],
  ['another version', adapterFile([tensor], { version: 2 }), /version is not 1/],
  ['one name twice', adapterFile([tensor, tensor]), /twice/],
  ['a type without a reader', adapterFile([{ ...tensor, type: 7 }]), /neither float32 nor float16/],
  ['too few bytes', adapterFile([tensor], { bytesOf: () => 28 }), /\[4,2\] and has 28 bytes/],
  ['an axis below zero', adapterFile([{ ...tensor, dims: [-4, -2] }], { bytesOf: () => 32 }), /\[-4,-2\]/],
  ['a name without an end', adapterFile([{ ...tensor, name: 'n'.repeat(2000) }]), /2000 bytes/],
  ['a tensor of many axes', adapterFile([{ ...tensor, dims: Array(9).fill(1) }]), /9 axes/],
  ['one tensor under many names', adapterFile(
    [0, 1, 2, 3].map(i => ({ ...tensor, name: `n${i}`, dims: [999] })), { isShared: true }), /share their numbers/],
  ['HTML', new TextEncoder().encode('<!doctype html><title>404</title>'), /TORT/],
]) {
  test(`${what} is refused`, () => {
    assert.throws(() => readAdapter(bytes), refused);
    assert.throws(() => readAdapter(bytes), message);
  });
}

test('every shortened file is refused', () => {
  const bytes = adapterFile([tensor]);
  for (let length = 0; length < bytes.length; length++)
    assert.throws(() => readAdapter(bytes.slice(0, length)), refused, `${length} bytes`);
});

test('every file with other bits is read or refused, in little time and memory', () => {
  const bytes = adapterFile([tensor, { ...tensor, name: 'n' }]);
  for (let at = 0; at < bytes.length; at++) {
    for (const bits of [1, 128, 255]) {
      const damaged = bytes.slice();
      damaged[at] ^= bits;
      try {
        for (const { dims, data } of readAdapter(damaged).values())
          assert.equal(data.length, dims.reduce((product, dim) => product * dim, 1));
      } catch (error) {
        assert.match(error.message, refused);
      }
    }
  }
});
