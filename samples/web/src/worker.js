// Trains beside the page, so that the page stays alive, and is kept for the next run. In: { type: 'train', job },
// { type: 'stop' }, { type: 'generate', job } and { type: 'export' }, which are about what was trained last.
import { adapterZip, modelZip } from './adapter.js';
import { ArtifactSet } from './artifacts.js';
import { hasWebGpu } from './device.js';
import { fineTune } from './fine-tune.js';
import { fetchFolder, remembered } from './folders.js';
import { generate } from './generate.js';
import { whyNotMerged } from './onnx.js';
import { randomFrom } from './rows.js';
import { baseFolder, runtimes } from './runtimes.js';
import { openTokenizer } from './tokenizer.js';

const folders = new Map();
let stopping = false;
let tuned;

const tasks = {
  train: async job => {
    stopping = false;
    await tuned?.trainer.release();
    await tuned?.onDevice?.release();
    tuned = undefined;
    const { set, tokenizer } = await opened(job.runtime);
    const trainer = await runtimes[job.runtime].open(set, { learningRate: job.learningRate });
    tuned = { trainer, set, tokenizer };
    const { step, rows, seconds } = await fineTune({ ...tuned, job, report, stopped });
    const zip = adapterZip(set.manifest.peft_config, await trainer.weights());
    report({ type: 'done', zip, step, rows, seconds });
  },
  generate: async ({ prompt, maxTokens, topK, seed }) => {
    const { trainer, set, tokenizer } = tuned;
    const limits = { maxTokens, topK, random: randomFrom(seed), rowLength: set.rowLength };
    tuned.onDevice ??= await openOnDevice();
    const text = await generate(tuned.onDevice ?? trainer, tokenizer, prompt, limits);
    report({ type: 'generated', text, place: tuned.onDevice ? 'WebGPU' : 'WebAssembly' });
  },
  export: async () => {
    const { trainer, set } = tuned;
    report({ type: 'exported', zip: await modelZip(readBase, set.manifest.peft_config, await trainer.weights()) });
  },
};

const readBase = remembered(fetchFolder(new URL(`../${baseFolder.folder}`, import.meta.url), baseFolder.advice));

// The tuned model on WebGPU; undefined where the browser has no device, or the adapter is not merged here.
async function openOnDevice() {
  const config = tuned.set.manifest.peft_config;
  if (whyNotMerged(config) || !await hasWebGpu())
    return undefined;
  const { TunedModel } = await import('./tuned-model.js');
  return TunedModel.open(readBase, config, await tuned.trainer.weights());
}

self.onmessage = async ({ data }) => {
  if (data.type === 'stop') {
    stopping = true;
    return;
  }
  try {
    await tasks[data.type](data.job);
  } catch (error) {
    report({ type: 'failed', text: error.message ?? String(error) });
  }
};

// The artifacts and the tokenizer, fetched once.
async function opened(runtime) {
  if (!folders.has(runtime)) {
    const { kind, folder, advice } = runtimes[runtime];
    report({ type: 'status', text: 'Loading the model and the runtime …' });
    const read = remembered(fetchFolder(new URL(`../${folder}`, import.meta.url), advice));
    const set = await ArtifactSet.open(read, kind);
    folders.set(runtime, { set, tokenizer: await openTokenizer(read) });
  }
  return folders.get(runtime);
}

const report = event => self.postMessage(event);

// Waiting for a timer lets a message from the page in.
async function stopped() {
  await new Promise(resolve => setTimeout(resolve));
  return stopping;
}
