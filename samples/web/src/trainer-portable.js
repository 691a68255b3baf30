// Trains with plain sessions of today's onnxruntime-web: one gives loss and gradients, one moves the parameters.
import { nameOf, withRole } from './artifacts.js';
import { dataFeeds } from './feeds.js';
import { readSafetensors } from './safetensors.js';
import { supervised } from './rows.js';
import { encoded } from './saving.js';

export class PortableTrainer {
  // set: an ArtifactSet; learningRate: of every step; ort: a build of onnxruntime-web; session: options of the sessions that
  // run the model. The small ones of the optimizer and of saving stay in WebAssembly, beside the vectors they work on.
  static async open(set, { learningRate, ort, session: options }) {
    ort.env.wasm.numThreads = 1;
    const externalData = await set.externalData();
    const session = async graph => ort.InferenceSession.create(await set.read(graph.file), { ...options, externalData });
    const { training, evaluation, optimizer, saving } = set.manifest;
    const trainer = new PortableTrainer(ort, set.manifest, learningRate);
    trainer.training = await session(training);
    trainer.evaluation = await session(evaluation);
    trainer.optimizer = await ort.InferenceSession.create(await set.read(optimizer.file));
    trainer.saving = saving && await ort.InferenceSession.create(await set.read(saving.file));
    trainer.saved = readSafetensors(await set.read(set.manifest.files.weights));
    trainer.#fill();
    return trainer;
  }

  constructor(ort, manifest, learningRate) {
    this.ort = ort;
    this.manifest = manifest;
    this.learningRate = learningRate;
    this.stepsDone = 0;
    const length = manifest.flat_length;
    this.vectors = {
      parameters: new Float32Array(length),
      gradients: new Float32Array(length),
      first_moments: new Float32Array(length),
      second_moments: new Float32Array(length),
      learning_rate_factors: new Float32Array(length).fill(1),
    };
  }

  // One step; gives the mean loss before it.
  async step(batch) {
    const { training, parameters, virtual_tokens: virtualTokens } = this.manifest;
    const feeds = { ...dataFeeds(this.ort, training, batch), ...this.#parameterFeeds() };
    const count = supervised(batch, virtualTokens);
    this.stepsDone++;
    feeds[nameOf(training.inputs, 'loss_scale', training.file)] = this.#scalar('float32', [1 / count]);
    const seed = withRole(training.inputs, 'dropout_seed');
    if (seed)
      feeds[seed.name] = this.#scalar('int64', [BigInt(this.stepsDone)]);
    const results = await this.training.run(feeds);
    for (const parameter of parameters)
      this.vectors.gradients.set(results[parameter.gradient].data, parameter.offset);
    await this.#update();
    return results[nameOf(training.outputs, 'loss_sum', training.file)].data[0] / count;
  }

  // The sum of the losses and the number of predicted tokens, without dropout.
  async evaluate(batch) {
    const { evaluation } = this.manifest;
    const results = await this.evaluation.run({ ...dataFeeds(this.ort, evaluation, batch), ...this.#parameterFeeds() });
    return {
      sum: results[nameOf(evaluation.outputs, 'loss_sum', evaluation.file)].data[0],
      count: Number(results[nameOf(evaluation.outputs, 'loss_count', evaluation.file)].data[0]),
      predictions: results[withRole(evaluation.outputs, 'predictions')?.name],
    };
  }

  // Every tensor of the adapter's file by its name: { dims, data: Float32Array }.
  async weights() {
    const weights = new Map(this.saved);
    for (const { name, dims, offset } of this.manifest.parameters)
      weights.set(name, { dims, data: this.vectors.parameters.slice(offset, offset + count(dims)) });
    return this.saving ? encoded(this.ort, this.saving, this.manifest.saving, weights) : weights;
  }

  async release() {
    const sessions = [this.training, this.evaluation, this.optimizer, this.saving];
    await Promise.all(sessions.map(session => session?.release()));
  }

  #scalar(type, values) {
    return new this.ort.Tensor(type, type === 'int64' ? BigInt64Array.from(values) : Float32Array.from(values), []);
  }

  #fill() {
    for (const { name, dims, offset, learning_rate_factor: factor = 1 } of this.manifest.parameters) {
      this.vectors.parameters.set(this.saved.get(name).data, offset);
      this.vectors.learning_rate_factors.fill(factor, offset, offset + count(dims));
    }
  }

  // Views into the flat vector, one for each parameter.
  #parameterFeeds() {
    const feeds = {};
    for (const { input, dims, offset } of this.manifest.parameters)
      feeds[input] = new this.ort.Tensor('float32', this.vectors.parameters.subarray(offset, offset + count(dims)), dims);
    return feeds;
  }

  async #update() {
    const { inputs, outputs } = this.manifest.optimizer;
    const feeds = {};
    for (const { name, role, dtype } of inputs) {
      if (role === 'learning_rate')
        feeds[name] = this.#scalar(dtype, [this.learningRate]);
      else if (role === 'step')
        feeds[name] = this.#scalar(dtype, [BigInt(this.stepsDone)]);
      else
        feeds[name] = new this.ort.Tensor('float32', this.vectors[role], [this.vectors[role].length]);
    }
    const results = await this.optimizer.run(feeds);
    for (const { name, role } of outputs.filter(output => output.role.startsWith('updated_')))
      this.vectors[role.slice('updated_'.length)] = results[name].data;
  }
}

const count = dims => dims.reduce((product, dim) => product * dim, 1);
