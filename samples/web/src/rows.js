// From pasted text to batches of token ids.

const ignored = -100;

// Each line that is not blank becomes a row, closed by one end-of-text token; long ones are cut into several.
export const rowsOf = (text, tokenizer, rowLength) => rowsByLine(text, tokenizer, rowLength).flat();

// The same, line by line.
export const rowsByLine = (text, tokenizer, rowLength) => linesOf(text).map(line => {
  const ids = [...tokenizer.encode(line)];
  if (ids.at(-1) !== tokenizer.endId)
    ids.push(tokenizer.endId);
  const starts = Array.from({ length: Math.ceil((ids.length - 1) / rowLength) }, (_, i) => i * rowLength);
  return starts.map(start => ids.slice(start, start + rowLength)).filter(row => row.length > 1);
});

export const linesOf = text => text.split(/\r?\n/).map(line => line.trim()).filter(line => line);

// Rows padded on the right to one length: mask 0, and a label that does not count.
export function collate(rows) {
  const columns = Math.max(...rows.map(row => row.length));
  const batch = {
    dims: [rows.length, columns],
    input_ids: new BigInt64Array(rows.length * columns),
    attention_mask: new BigInt64Array(rows.length * columns),
    position_ids: new BigInt64Array(rows.length * columns),
    labels: new BigInt64Array(rows.length * columns).fill(BigInt(ignored)),
  };
  rows.forEach((row, r) => row.forEach((id, c) => {
    const at = r * columns + c;
    batch.input_ids[at] = batch.labels[at] = BigInt(id);
    batch.attention_mask[at] = 1n;
    batch.position_ids[at] = BigInt(c);
  }));
  return batch;
}

// How many tokens are predicted: each row's but its first, which only virtual tokens before it could predict.
export function supervised(batch, virtualTokens = 0) {
  const [rows, columns] = batch.dims;
  let count = 0;
  for (let r = 0; r < rows; r++) {
    for (let c = virtualTokens > 0 ? 0 : 1; c < columns; c++)
      count += batch.labels[r * columns + c] !== BigInt(ignored);
  }
  return count;
}

// Batches without end: all rows in a shuffled order, then all again in another; short of rows, a batch has them all.
export function* shuffled(rows, batchSize, random) {
  const size = Math.min(batchSize, rows.length);
  let order = [];
  while (true) {
    if (order.length < size)
      order = [...order, ...shuffle(rows, random)];
    yield collate(order.splice(0, size));
  }
}

// All rows once, in order.
export function* inOrder(rows, batchSize) {
  for (let start = 0; start < rows.length; start += batchSize)
    yield collate(rows.slice(start, start + batchSize));
}

function shuffle(items, random) {
  const result = [...items];
  for (let i = result.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [result[i], result[j]] = [result[j], result[i]];
  }
  return result;
}

// Numbers from 0 to 1, the same for the same seed (mulberry32).
export function randomFrom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
