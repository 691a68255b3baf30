// The page: reads the form, starts the worker, shows what it reports.
import { LossChart } from './chart.js';
import { hasWebGpu } from './device.js';
import { numberIn } from './numbers.js';
import { hasSimd } from './simd.js';

const $ = id => document.getElementById(id);
const chart = new LossChart($('chart'));
let worker;
let zipUrl;
let isTraining = false;

$('form').addEventListener('submit', event => {
  event.preventDefault();
  start();
});
$('stop').addEventListener('click', () => {
  worker?.postMessage({ type: 'stop' });
  say(isTraining ? 'Stopping after this step …' : 'Stopping …');
  $('stop').disabled = true;
});
$('try').addEventListener('submit', event => {
  event.preventDefault();
  ask('generate', () => ({ ...readForm(), prompt: $('try-prompt').value }), () => $('try-text').textContent = '…');
});
$('download-model').addEventListener('click', () =>
  ask('export', () => undefined, () => say('Merging the adapter into the model …')));
$('form').elements.runtime.forEach(choice => choice.addEventListener('change', showRate));
showRate();
hasWebGpu().then(has => $('form').elements.runtime.forEach(choice => choice.disabled = choice.value === 'webgpu' && !has));
if (!hasSimd())
  fail('This browser has no WebAssembly SIMD, which ONNX Runtime needs; use a browser from 2021 or later.');

function start() {
  ask('train', readForm, job => {
    chart.clear(job.steps);
    $('progress').max = job.steps;
    $('progress').removeAttribute('value');
    $('prompt-shown').textContent = $('try-prompt').value = job.prompt;
    for (const id of ['loss-before', 'loss-after', 'text-before', 'text-after', 'step', 'note', 'try-text'])
      $(id).textContent = '';
    for (const id of ['curve', 'samples', 'try'])
      $(id).hidden = true;
    $('after').classList.remove('better');
    $('stop').disabled = false;
  });
}

// Checks first, then lets the worker do it.
function ask(type, readJob, prepare) {
  let job;
  try {
    job = readJob();
    check(type, job);
  } catch (error) {
    complain(error.message);
    return;
  }
  $('error').textContent = '';
  isTraining = false;
  busy(true);
  prepare(job);
  showResults();
  worker ??= startWorker();
  worker.postMessage({ type, job });
}

function check(type, job) {
  if (type === 'train' && !job.text.trim())
    throw new Error('There is nothing to learn from: paste a text of at least one line.');
  if (job && !job.prompt.trim())
    throw new Error('The prompt is empty; write the beginning of a text.');
}

function startWorker() {
  const started = new Worker(new URL('worker.js', import.meta.url), { type: 'module' });
  started.onmessage = ({ data }) => handlers[data.type](data);
  started.onerror = event => fail(`The worker could not start: ${event.message ?? 'is npm install done?'}`);
  return started;
}

function showResults() {
  $('results').hidden = false;
  if ($('results').getBoundingClientRect().top > innerHeight / 2)
    $('results').scrollIntoView();
}

const handlers = {
  status: ({ text }) => say(text),
  note: ({ text }) => $('note').textContent = text,
  shown: ({ when, loss, text }) => {
    $('samples').hidden = false;
    $(`loss-${when}`).textContent = `loss ${loss.toFixed(3)}`;
    $(`loss-${when}`).dataset.loss = loss;
    $(`text-${when}`).textContent = text.trim() || '(nothing)';
    $('after').classList.toggle('better', when === 'after' && loss < Number($('loss-before').dataset.loss));
  },
  step: ({ step, steps, loss, seconds }) => {
    isTraining = true;
    $('curve').hidden = false;
    chart.add(loss);
    $('progress').value = step;
    $('step').textContent =
      `Step ${step} of ${steps}: loss ${loss.toFixed(3)}, ${(seconds * 1000 / step).toFixed(0)} ms per step`;
  },
  done: ({ zip, step, rows, seconds }) => {
    URL.revokeObjectURL(zipUrl);
    zipUrl = urlOf(zip);
    $('download').href = zipUrl;
    $('try').hidden = false;
    $('progress').value = step;
    finish(`${step} steps over ${rows} rows in ${seconds.toFixed(1)} s.`);
  },
  generated: ({ text, place }) => {
    $('try-text').textContent = text.trim() || '(nothing)';
    finish(`Written on ${place}.`);
  },
  exported: ({ zip }) => {
    const url = urlOf(zip);
    Object.assign(document.createElement('a'), { href: url, download: 'model.zip' }).click();
    setTimeout(() => URL.revokeObjectURL(url), 60_000);
    finish('The ONNX model is in model.zip.');
  },
  failed: ({ text }) => fail(text),
};

const urlOf = zip => URL.createObjectURL(new Blob([zip], { type: 'application/zip' }));

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
  for (const id of ['start', 'try-start', 'download-model'])
    $(id).disabled = yes;
  if (!yes)
    $('stop').disabled = true;
}

const say = text => $('status').textContent = text;

function finish(text) {
  busy(false);
  say(text);
}

function complain(text) {
  $('results').hidden = false;
  $('error').textContent = text;
  $('progress').value = 0;
}

// What the worker has after an error is uncertain, so the next run gets another one.
function fail(text) {
  worker?.terminate();
  worker = undefined;
  $('try').hidden = true;
  finish('');
  complain(text);
}
