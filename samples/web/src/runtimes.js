// The two ways to train: a row each. Libraries are loaded when they are needed.

const advice = 'Make it with: npm run artifacts';

export const runtimes = {
  ort: {
    folder: 'artifacts/ort/',
    advice,
    open: async (set, options) => (await import('./trainer-portable.js')).PortableTrainer.open(set, options),
  },
  'ort-training': {
    folder: 'artifacts/ort-training/',
    advice,
    open: async (set, options) => (await import('./trainer-ort-training.js')).OrtTrainingTrainer.open(set, options),
  },
};

// The base as an ONNX model, into which what was trained is merged.
export const baseFolder = { folder: 'artifacts/base/', advice };
