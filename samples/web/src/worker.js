// Trains beside the page, so that the page stays alive. In: { type: 'train', job }, { type: 'stop' }.
import { ArtifactSet } from './artifacts.js';
import { fineTune } from './fine-tune.js';
import { fetchFolder } from './folders.js';
import { runtimes } from './runtimes.js';
import { openTokenizer } from './tokenizer.js';

let stopping = false;

self.onmessage = ({ data }) => {
  if (data.type === 'stop')
    stopping = true;
  else
    train(data.job);
};

async function train(job) {
  try {
    const { folder, advice, open } = runtimes[job.runtime];
    report({ type: 'status', text: 'Loading the model and the runtime …' });
    const read = fetchFolder(new URL(`../${folder}`, import.meta.url), advice);
    const set = await ArtifactSet.open(read, job.runtime);
    const tokenizer = await openTokenizer(read);
    const trainer = await open(set, { learningRate: job.learningRate });
    await fineTune({ trainer, set, tokenizer, job, report, stopped });
    await trainer.release();
  } catch (error) {
    report({ type: 'failed', text: error.message ?? String(error) });
  }
}

const report = event => self.postMessage(event);

// Waiting for a timer lets a message from the page in.
async function stopped() {
  await new Promise(resolve => setTimeout(resolve));
  return stopping;
}
