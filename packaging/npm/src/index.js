// A base model and LoRA adapters by name, in one session of ONNX Runtime.
import { readAdapter } from './adapter-file.js';

const lora = /^(.+)\.lora_(A|B)\.weight$/;
const arrays = { float32: Float32Array, float16: Uint16Array };

export class LoraSession {
  #ort;
  #session;
  #inputs = new Map();
  #adapters = new Map();
  #base;

  constructor(ort, session) {
    this.#ort = ort;
    this.#session = session;
    for (const { name, type, shape } of session.inputMetadata.filter(input => lora.test(input.name)))
      this.#inputs.set(name, { type, dims: shape });
    if (this.#inputs.size === 0)
      throw new Error('The model has no required inputs for LoRA; export it with: ortpeft export --format onnx-adapter --required-inputs');
    this.#base = this.#feeds(new Map());
  }

  // ort: the module onnxruntime-web. The rest is what its InferenceSession.create takes.
  static async create(ort, model, ...options) {
    const session = await ort.InferenceSession.create(model, ...options);
    try {
      return new LoraSession(ort, session);
    } catch (error) {
      await session.release();
      throw error;
    }
  }

  // What run wants; the adapter's inputs are not among them.
  get inputNames() {
    return this.#session.inputNames.filter(name => !this.#inputs.has(name));
  }

  get outputNames() {
    return this.#session.outputNames;
  }

  get adapters() {
    return [...this.#adapters.keys()];
  }

  // source: the bytes of an .onnx_adapter file, or where to fetch it.
  async load(name, source) {
    const bytes = source instanceof Uint8Array || source instanceof ArrayBuffer ? source : await download(source);
    const tensors = readAdapter(bytes, `The adapter '${name}'`);
    this.#adapters.set(name, this.#feeds(tensors, `The adapter '${name}'`));
  }

  unload(name) {
    return this.#adapters.delete(name);
  }

  // adapter: the name of one that is loaded; without it the base answers. fetches and run are as InferenceSession.run has them.
  async run(feeds, { adapter, fetches, run = {} } = {}) {
    if (adapter !== undefined && !this.#adapters.has(adapter))
      throw new Error(`There is no adapter '${adapter}'; loaded are: ${this.adapters.join(', ') || 'none'}.`);
    const all = { ...feeds, ...(adapter === undefined ? this.#base : this.#adapters.get(adapter)) };
    return fetches === undefined ? this.#session.run(all, run) : this.#session.run(all, fetches, run);
  }

  async release() {
    this.#adapters.clear();
    await this.#session.release();
  }

  // A tensor for each input; layers that the adapter leaves alone get the rank 0.
  #feeds(tensors, what) {
    for (const [name, { type, dims }] of tensors) {
      const input = this.#inputs.get(name);
      if (!input)
        throw new Error(`${what} is for another model: there is no input '${name}'.`);
      if (type !== input.type)
        throw new Error(`${what} is for another model: '${name}' is ${type}, and the input ${input.type}.`);
      if (dims.length !== 2 || input.dims.some((dim, i) => typeof dim === 'number' && dim !== dims[i]))
        throw new Error(`${what} is for another model: '${name}' is [${dims}], and the input [${input.dims}].`);
      const [, layer, part] = lora.exec(name);
      const other = tensors.get(`${layer}.lora_${part === 'A' ? 'B' : 'A'}.weight`);
      if (other?.dims[part === 'A' ? 0 : 1] !== dims[part === 'A' ? 1 : 0])
        throw new Error(`${what} is damaged: A and B of '${layer}' are not of one rank.`);
    }
    return Object.fromEntries([...this.#inputs].map(([name, { type, dims }]) => {
      const given = tensors.get(name) ??
        { data: new arrays[type](0), dims: dims.map(dim => (typeof dim === 'number' ? dim : 0)) };
      return [name, new this.#ort.Tensor(type, given.data, given.dims)];
    }));
  }
}

async function download(url) {
  const response = await fetch(url);
  if (!response.ok)
    throw new Error(`${url}: ${response.status} ${response.statusText}`);
  return response.arrayBuffer();
}
