// What the tests run: EXPORTED names a folder of ortpeft export --format onnx-adapter --required-inputs with adapters a and b,
// EXPECTED a file { ids, base, a, b } with tokens and OrtPeft's own logits after the last of them.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

export const skip = process.env.EXPORTED && process.env.EXPECTED ? false : 'EXPORTED and EXPECTED are not set';
export const file = name => readFile(join(process.env.EXPORTED, name));
export const expected = async () => JSON.parse(await readFile(process.env.EXPECTED, 'utf8'));
