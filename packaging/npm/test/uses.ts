import * as ort from 'onnxruntime-web';
import { LoraSession } from 'ortpeft-web';

const model: LoraSession = await LoraSession.create(ort, 'model.onnx', { executionProviders: ['wasm'] });
await model.load('chat', new URL('https://example.org/chat.onnx_adapter'));
await model.load('legal', new Uint8Array(8));
const input_ids = new ort.Tensor('int64', [1n, 2n], [1, 2]);
const { logits } = await model.run({ input_ids }, { adapter: 'chat', fetches: ['logits'] });
const names: readonly string[] = [...model.inputNames, ...model.outputNames, ...model.adapters];
const wasThere: boolean = model.unload('legal');
await model.release();
// @ts-expect-error An adapter is named by a text.
await model.run({ input_ids }, { adapter: 1 });
export { logits, names, wasThere };
