// The trained adapter as HF PEFT's folder, in a zip file.
import { strToU8, zipSync } from '../node_modules/fflate/esm/browser.js';
import { writeSafetensors } from './safetensors.js';

export const adapterZip = (peftConfig, weights) => zipSync({
  'adapter_config.json': strToU8(`${JSON.stringify(peftConfig, null, 2)}\n`),
  'adapter_model.safetensors': [writeSafetensors(weights), { level: 0 }],
});
