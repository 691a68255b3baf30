// Prints the losses of given batches, one step each, as a JSON array:
//
//     node test/losses.js FOLDER ort|ort-training BATCHES.json LEARNING_RATE
//
// BATCHES.json: an array of batches, each an array of rows, each an array of token ids.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ArtifactSet } from '../src/artifacts.js';
import { collate } from '../src/rows.js';
import { runtimes } from '../src/runtimes.js';

const [folder, runtime, batchesFile, learningRate] = process.argv.slice(2);
const set = await ArtifactSet.open(async name => new Uint8Array(await readFile(join(folder, name))), runtimes[runtime].kind);
const trainer = await runtimes[runtime].open(set, { learningRate: Number(learningRate) });
const losses = [];
for (const rows of JSON.parse(await readFile(batchesFile, 'utf8')))
  losses.push(await trainer.step(collate(rows)));
await trainer.release();
console.log(JSON.stringify(losses));
