// What the page hands out, in zip files: the trained adapter as HF PEFT's folder, and the model with the adapter in it.
import { strToU8, zipSync } from '../node_modules/fflate/esm/browser.js';
import { mergeLora } from './onnx.js';
import { writeSafetensors } from './safetensors.js';

export const adapterZip = (peftConfig, weights) => zipSync({
  'adapter_config.json': strToU8(`${JSON.stringify(peftConfig, null, 2)}\n`),
  'adapter_model.safetensors': [writeSafetensors(weights), { level: 0 }],
});

const companions = ['config.json', 'tokenizer.json', 'tokenizer_config.json', 'vocab.json', 'merges.txt'];

// read(name): a promise of the bytes of a file of the base, as `ortpeft import` writes it.
export async function modelZip(read, peftConfig, weights) {
  const [model, data] = await Promise.all(['model.onnx', 'model.onnx.data'].map(read));
  const others = await Promise.all(companions.map(async name => [name, await read(name)]));
  const merged = mergeLora(model, data, peftConfig, weights);
  return zipSync({ ...Object.fromEntries(others), 'model.onnx': model, 'model.onnx.data': [merged, { level: 0 }] });
}
