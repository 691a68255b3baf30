// Trains with ONNX Runtime's own TrainingSession, which onnxruntime-web had up to version 1.19.2.
import * as ort from '../node_modules/onnxruntime-training-web/dist/ort.training.wasm.min.mjs';
import { nameOf } from './artifacts.js';
import { dataFeeds } from './feeds.js';
import { supervised } from './rows.js';
import { readSafetensors } from './safetensors.js';
import { encoded } from './saving.js';

ort.env.wasm.numThreads = 1;

export class OrtTrainingTrainer {
  // set: an ArtifactSet. The learning rate is the optimizer model's: this API has no way to set one.
  static async open(set) {
    const { training, evaluation, optimizer, saving, files } = set.manifest;
    if (files.external_data?.length)
      throw new Error('This API loads no external data; write the artifacts with the base in the checkpoint.');
    const [trainModel, evalModel, optimizerModel, checkpointState] = await Promise.all(
      [training.file, evaluation.file, optimizer.file, files.checkpoint].map(name => set.read(name)));
    const trainer = new OrtTrainingTrainer();
    trainer.manifest = set.manifest;
    trainer.session = await ort.TrainingSession.create({ trainModel, evalModel, optimizerModel, checkpointState });
    trainer.saving = saving && await ort.InferenceSession.create(await set.read(saving.file));
    trainer.constants = files.weights ? readSafetensors(await set.read(files.weights)) : new Map();
    return trainer;
  }

  // One step; gives the mean loss before it.
  async step(batch) {
    const { training } = this.manifest;
    const results = await this.session.runTrainStep(dataFeeds(ort, training, batch));
    await this.session.runOptimizerStep();
    await this.session.lazyResetGrad();
    return results[nameOf(training.outputs, 'loss_mean', training.file)].data[0];
  }

  // The sum of the losses and the number of predicted tokens, without dropout. The API gives results in the model's
  // order, but names them after the training model's outputs: the second one, which that has not, 'undefined'.
  async evaluate(batch) {
    const { evaluation, virtual_tokens: virtualTokens } = this.manifest;
    const results = Object.values(await this.session.runEvalStep(dataFeeds(ort, evaluation, batch)));
    const result = role => results[evaluation.outputs.findIndex(output => output.role === role)];
    const count = supervised(batch, virtualTokens);
    return { sum: result('loss_mean').data[0] * count, count, predictions: result('predictions') };
  }

  // Every tensor of the adapter's file by its name: { dims, data: Float32Array }. The API hands all of them out in one
  // row, in the manifest's order.
  async weights() {
    const all = (await this.session.getContiguousParameters(true)).data;
    const weights = new Map(this.constants);
    let start = 0;
    for (const { name, dims } of this.manifest.parameters) {
      const end = start + dims.reduce((product, dim) => product * dim, 1);
      weights.set(name, { dims, data: all.slice(start, end) });
      start = end;
    }
    if (start !== all.length)
      throw new Error(`The session has ${all.length} trained numbers, artifacts.json says ${start}.`);
    return this.saving ? encoded(ort, this.saving, this.manifest.saving, weights) : weights;
  }

  async release() {
    await this.session.release();
    await this.saving?.release();
  }
}
