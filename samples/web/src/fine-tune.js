// The whole run, from text to trained weights; the same for both runtimes.
import { generate } from './generate.js';
import { inOrder, randomFrom, rowsByLine, shuffled } from './rows.js';

const mostMeasured = 256;

// trainer: PortableTrainer or OrtTrainingTrainer; job: what the page's form holds; report(event): progress; stopped():
// a promise of whether to end early, which also lets messages in.
export async function fineTune({ trainer, set, tokenizer, job, report, stopped }) {
  const lines = rowsByLine(job.text, tokenizer, set.rowLength);
  const rows = lines.flat();
  if (rows.length === 0)
    throw new Error('There is nothing to learn from: paste a text of at least one line.');
  report({ type: 'note', text: splitNote(lines.filter(line => line.length > 1), set.rowLength) });
  const random = randomFrom(job.seed);
  await show('before');

  const rate = set.learningRate(job.learningRate);
  report({ type: 'status', text: `Training on ${rows.length} rows, learning rate ${rate} …` });
  const batches = shuffled(rows, job.batchSize, random);
  const started = performance.now();
  let step = 0;
  while (step < job.steps && !(await stopped())) {
    const loss = await trainer.step(batches.next().value);
    if (!Number.isFinite(loss))
      throw new Error(`The loss of step ${step + 1} is ${loss}; try a smaller learning rate.`);
    report({ type: 'step', step: ++step, steps: job.steps, loss, seconds: (performance.now() - started) / 1000 });
  }

  await show('after');
  return { step, rows: rows.length, seconds: (performance.now() - started) / 1000 };

  // The loss over the text, of a long one over its beginning, and what the model makes of the prompt.
  async function show(when) {
    report({ type: 'status', text: `Measuring and generating, ${when} training …` });
    let [sum, count] = [0, 0];
    for (const batch of inOrder(rows.slice(0, mostMeasured), job.batchSize)) {
      const result = await trainer.evaluate(batch);
      [sum, count] = [sum + result.sum, count + result.count];
    }
    const limits = { maxTokens: job.maxTokens, topK: job.topK, random: randomFrom(job.seed), rowLength: set.rowLength };
    const text = await generate(trainer, tokenizer, job.prompt, limits);
    report({ type: 'shown', when, loss: sum / count, text });
  }
}

function splitNote(long, rowLength) {
  const rows = long.flat().length;
  const what = long.length === 1 ? '1 line was' : `${long.length} lines were`;
  return long.length === 0 ? '' : `${what} split into ${rows} rows of up to ${rowLength} tokens.`;
}
