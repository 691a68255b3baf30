// The tuned model on WebGPU, with the build of onnxruntime-web that has it.
import * as ort from '../node_modules/onnxruntime-web/dist/ort.webgpu.min.mjs';
import { mergeLora } from './onnx.js';

ort.env.wasm.numThreads = 1;

export class TunedModel {
  #session;

  // read(name): a promise of the bytes of a file of the base; weights: the adapter's; options: of the session.
  static async open(read, peftConfig, weights, options = { executionProviders: ['webgpu'] }) {
    const [model, data] = await Promise.all(['model.onnx', 'model.onnx.data'].map(read));
    const externalData = [{ path: 'model.onnx.data', data: mergeLora(model, data, peftConfig, weights) }];
    return new TunedModel(await ort.InferenceSession.create(model, { ...options, externalData }));
  }

  constructor(session) {
    this.#session = session;
  }

  // The logits of a batch of one row, as a trainer's evaluate gives them.
  async evaluate(batch) {
    const feeds = Object.fromEntries(this.#session.inputMetadata.map(({ name, shape }) => [name, batch[name]
      ? new ort.Tensor('int64', batch[name], batch.dims)
      : new ort.Tensor('float32', new Float32Array(0), shape.map((dim, i) => (typeof dim === 'number' ? dim : i === 0 ? 1 : 0)))]));
    const { logits } = await this.#session.run(feeds, ['logits']);
    return { predictions: logits };
  }

  async release() {
    await this.#session.release();
  }
}
