// Writes on from a prompt, token by token, through the evaluation model.
import { collate } from './rows.js';

// topK: how many of the likeliest tokens to draw from; 1 always takes the likeliest.
export async function generate(trainer, tokenizer, prompt, { maxTokens, topK = 1, random, rowLength }) {
  const ids = tokenizer.encode(prompt);
  const start = ids.length;
  if (start === 0)
    throw new Error('The prompt is empty; write the beginning of a text.');
  if (start >= rowLength)
    throw new Error(`The prompt has ${start} tokens, and the model sees ${rowLength}; write a shorter one.`);
  while (ids.length < Math.min(start + maxTokens, rowLength)) {
    const next = draw(await lastLogits(trainer, ids), topK, random);
    if (next === tokenizer.endId)
      break;
    ids.push(next);
  }
  return tokenizer.decode(ids.slice(start));
}

// A row of one token would have nothing to predict; a second one, which none before it sees, is appended to it.
async function lastLogits(trainer, ids) {
  const batch = collate([ids.length > 1 ? ids : [...ids, ids[0]]]);
  const { predictions } = await trainer.evaluate(batch);
  if (!predictions)
    throw new Error('eval_model.onnx gives no logits to write from; write the artifacts with --eval-logits.');
  const [, positions, vocabulary] = predictions.dims;
  const row = positions - batch.dims[1] + ids.length - 1;
  return predictions.data.subarray(row * vocabulary, (row + 1) * vocabulary);
}

function draw(logits, topK, random) {
  const best = [...logits.keys()].sort((a, b) => logits[b] - logits[a]).slice(0, topK);
  const weights = best.map(id => Math.exp(logits[id] - logits[best[0]]));
  let rest = topK > 1 ? random() * weights.reduce((sum, weight) => sum + weight, 0) : 0;
  const drawn = weights.findIndex(weight => (rest -= weight) < 0);
  return best[Math.max(drawn, 0)];
}
