// Prints the losses of given runs from the initial weights, one step for each batch, as a JSON array of arrays:
//
//     node test/losses.js FOLDER ort|ort-training RUNS.json LEARNING_RATE
//
// RUNS.json: an array of runs, each an array of batches, each an array of rows, each an array of token ids.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ArtifactSet } from '../src/artifacts.js';
import { collate } from '../src/rows.js';
import { runtimes } from '../src/runtimes.js';

const [folder, runtime, runsFile, learningRate] = process.argv.slice(2);
const set = await ArtifactSet.open(async name => new Uint8Array(await readFile(join(folder, name))), runtimes[runtime].kind);
const losses = [];
for (const batches of JSON.parse(await readFile(runsFile, 'utf8'))) {
  const trainer = await runtimes[runtime].open(set, { learningRate: Number(learningRate) });
  losses.push([]);
  for (const rows of batches)
    losses.at(-1).push(await trainer.step(collate(rows)));
  await trainer.release();
}
console.log(JSON.stringify(losses));
