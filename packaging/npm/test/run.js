// The logits after the last token, of the base and of each adapter in turn; runs in Node and in pages.
import { LoraSession } from '../src/index.js';

export async function open(ort, fetched) {
  ort.env.wasm.numThreads = 1;
  const options = { externalData: [{ path: 'model.onnx.data', data: await fetched('model.onnx.data') }] };
  const model = await LoraSession.create(ort, await fetched('model.onnx'), options);
  for (const name of ['a', 'b'])
    await model.load(name, await fetched(`${name}.onnx_adapter`));
  return model;
}

export async function logits(ort, model, ids, adapter) {
  const whole = values => new ort.Tensor('int64', BigInt64Array.from(values, BigInt), [1, ids.length]);
  const feeds = {
    input_ids: whole(ids),
    attention_mask: whole(ids.map(() => 1)),
    position_ids: whole(ids.map((_, i) => i)),
  };
  for (const name of model.inputNames.filter(name => name.startsWith('past_key_values.')))
    feeds[name] = new ort.Tensor('float32', new Float32Array(0), [1, 4, 0, 32]);
  const { logits } = await model.run(feeds, { adapter, fetches: ['logits'] });
  return [...logits.data.slice(-logits.dims[2])];
}
