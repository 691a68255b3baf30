// Runs jobs on artifact folders with ONNX Runtime's own training engine, built for WebAssembly.
//
//   node run.mjs JOBS.json RESULTS.json
//
// JOBS.json is a list of jobs: {"name", "folder", "batches", "steps"}. A batch is an object of inputs, each with
// "dtype", "dims" and "data". A step is one of
//   {"do": "train", "batches": [0, 1]}   a train step on each, one optimizer step, gradients reset; gives the losses
//   {"do": "eval", "batch": 0}           gives the loss
//   {"do": "read"}                       gives the trainable parameters, one after another, as base64 of float32
//   {"do": "write", "parameters": "…"}   sets them; without "parameters", to what this job's last "read" gave
// RESULTS.json has for each name what the steps gave, or the error that ended the job.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as ort from "./node_modules/onnxruntime-web/dist/ort.training.wasm.mjs";

const arrays = {
  bool: Uint8Array,
  float32: Float32Array,
  int32: Int32Array,
  int64: BigInt64Array,
};

function toTensor({ dtype, dims, data }) {
  const values = dtype === "int64" ? data.map(BigInt) : data;
  return new ort.Tensor(dtype, arrays[dtype].from(values), dims);
}

function feedsOf(batch, names) {
  return Object.fromEntries(names.map((name) => {
    if (!(name in batch)) {
      throw new Error(`the model wants '${name}', the batch brings ${Object.keys(batch)}`);
    }
    return [name, toTensor(batch[name])];
  }));
}

async function openSession(folder) {
  const bytesOf = (file) => new Uint8Array(readFileSync(join(folder, file)));
  return ort.TrainingSession.create({
    checkpointState: bytesOf("checkpoint"),
    trainModel: bytesOf("training_model.onnx"),
    evalModel: bytesOf("eval_model.onnx"),
    optimizerModel: bytesOf("optimizer_model.onnx"),
  });
}

function lossOf(outputs, names) {
  return outputs[names[0]].data[0];
}

const verbs = {
  async train(session, job, step) {
    const losses = [];
    for (const index of step.batches) {
      const feeds = feedsOf(job.batches[index], session.trainingInputNames);
      const outputs = await session.runTrainStep(feeds, [session.trainingOutputNames[0]]);
      losses.push(lossOf(outputs, session.trainingOutputNames));
    }
    await session.runOptimizerStep();
    await session.lazyResetGrad();
    return { losses };
  },

  async eval(session, job, step) {
    const outputs = await session.runEvalStep(feedsOf(job.batches[step.batch], session.evalInputNames));
    return { losses: [lossOf(outputs, session.evalOutputNames)] };
  },

  async read(session, job) {
    const { data } = await session.getContiguousParameters(true);
    job.last = Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString("base64");
    return { parameters: job.last };
  },

  async write(session, job, step) {
    await session.loadParametersBuffer(new Uint8Array(Buffer.from(step.parameters ?? job.last, "base64")), true);
    return {};
  },
};

async function run(job) {
  const session = await openSession(job.folder);
  try {
    const steps = [];
    for (const step of job.steps) {
      steps.push(await verbs[step.do](session, job, step));
    }
    return {
      trainingInputs: session.trainingInputNames,
      trainingOutputs: session.trainingOutputNames,
      evaluationInputs: session.evalInputNames,
      evaluationOutputs: session.evalOutputNames,
      steps,
    };
  } finally {
    await session.release();
  }
}

// Numbers that JSON has no word for are as wrong as errors, and must not turn into null.
function checked(_, value) {
  return typeof value === "number" && !Number.isFinite(value) ? String(value) : value;
}

ort.env.wasm.numThreads = 1;
ort.env.logLevel = "error";
const [jobsFile, resultsFile] = process.argv.slice(2);
const results = {};
for (const job of JSON.parse(readFileSync(jobsFile, "utf8"))) {
  try {
    results[job.name] = await run(job);
  } catch (error) {
    results[job.name] = { error: String(error?.message ?? error) };
  }
}
writeFileSync(resultsFile, JSON.stringify(results, checked));
