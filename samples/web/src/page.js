// The page: reads the form, starts the worker, shows what it reports.
import { LossChart } from './chart.js';
import { numberIn } from './numbers.js';
import { hasSimd } from './simd.js';

const $ = id => document.getElementById(id);
const chart = new LossChart($('chart'));
let worker;
let zipUrl;

$('form').addEventListener('submit', event => {
  event.preventDefault();
  start();
});
$('stop').addEventListener('click', () => {
  worker?.postMessage({ type: 'stop' });
  say('Stopping after this step …');
});
$('form').elements.runtime.forEach(choice => choice.addEventListener('change', showRate));
showRate();
if (!hasSimd())
  fail('This browser has no WebAssembly SIMD, which ONNX Runtime needs; use a browser from 2021 or later.');

function start() {
  let job;
  try {
    job = readForm();
  } catch (error) {
    fail(error.message);
    return;
  }
  chart.clear(job.steps);
  $('progress').max = job.steps;
  $('progress').value = 0;
  for (const id of ['loss-before', 'loss-after', 'text-before', 'text-after', 'step', 'error'])
    $(id).textContent = '';
  $('prompt-shown').textContent = job.prompt;
  $('download').hidden = true;
  $('results').hidden = false;
  if ($('results').getBoundingClientRect().top > innerHeight / 2)
    $('results').scrollIntoView();
  busy(true);
  worker = new Worker(new URL('worker.js', import.meta.url), { type: 'module' });
  worker.onmessage = ({ data }) => handlers[data.type](data);
  worker.onerror = event => fail(`The worker could not start: ${event.message ?? 'is npm install done?'}`);
  worker.postMessage({ type: 'train', job });
}

const handlers = {
  status: ({ text }) => say(text),
  shown: ({ when, loss, text }) => {
    $(`loss-${when}`).textContent = `loss ${loss.toFixed(3)}`;
    $(`loss-${when}`).dataset.loss = loss;
    $(`text-${when}`).textContent = text.trim() || '(nothing)';
  },
  step: ({ step, steps, loss, seconds }) => {
    chart.add(loss);
    $('progress').value = step;
    $('step').textContent =
      `Step ${step} of ${steps}: loss ${loss.toFixed(3)}, ${(seconds * 1000 / step).toFixed(0)} ms a step`;
  },
  done: ({ zip, step, rows, seconds }) => {
    URL.revokeObjectURL(zipUrl);
    zipUrl = URL.createObjectURL(new Blob([zip], { type: 'application/zip' }));
    $('download').href = zipUrl;
    $('download').hidden = false;
    finish(`${step} steps over ${rows} rows in ${seconds.toFixed(1)} s.`);
  },
  failed: ({ text }) => fail(text),
};

function readForm() {
  const { elements } = $('form');
  const number = name => numberIn(elements[name]);
  return {
    runtime: elements.runtime.value,
    text: elements.text.value,
    prompt: elements.prompt.value,
    steps: number('steps'),
    batchSize: number('batchSize'),
    learningRate: number('learningRate'),
    maxTokens: number('maxTokens'),
    topK: number('topK'),
    seed: number('seed'),
  };
}

// ort-training has its rate inside the optimizer model.
function showRate() {
  const { runtime, learningRate } = $('form').elements;
  learningRate.disabled = runtime.value === 'ort-training';
  $('rate-note').hidden = !learningRate.disabled;
}

function busy(yes) {
  $('start').disabled = yes;
  $('stop').disabled = !yes;
}

const say = text => $('status').textContent = text;

function finish(text) {
  worker?.terminate();
  worker = undefined;
  busy(false);
  say(text);
}

function fail(text) {
  finish('');
  $('results').hidden = false;
  $('error').textContent = text;
}
