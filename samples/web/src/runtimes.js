// The ways to train: a row each. Libraries are loaded when they are needed.
import { PortableTrainer } from './trainer-portable.js';

const advice = 'Make it with: npm run artifacts';

// kind: what artifacts.json calls the runtime.
export const runtimes = {
  ort: {
    kind: 'ort',
    folder: 'artifacts/ort/',
    advice,
    open: async (set, options) =>
      PortableTrainer.open(set, { ...options, ort: await import('../node_modules/onnxruntime-web/dist/ort.wasm.min.mjs') }),
  },
  webgpu: {
    kind: 'ort',
    folder: 'artifacts/webgpu/',
    advice,
    open: async (set, options) => PortableTrainer.open(set, {
      ...options,
      ort: await import('../node_modules/onnxruntime-web/dist/ort.webgpu.min.mjs'),
      session: { executionProviders: ['webgpu'], ...options.session },
    }),
  },
  'ort-training': {
    kind: 'ort-training',
    folder: 'artifacts/ort-training/',
    advice,
    open: async (set, options) => (await import('./trainer-ort-training.js')).OrtTrainingTrainer.open(set, options),
  },
};

// The base as an ONNX model, into which what was trained is merged.
export const baseFolder = { folder: 'artifacts/base/', advice };
