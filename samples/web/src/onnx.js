// Folds a LoRA adapter into an ONNX model with external data, as `ortpeft import` writes it. Weights keep their sizes, so
// only numbers in the data file change. Of the model file no more is read than where each weight lies.

// model: the bytes of model.onnx; data: those of its data file; config: adapter_config.json; weights: the adapter's, a map
// from name to { dims, data }. Gives the new bytes of the data file.
export function mergeLora(model, data, config, weights) {
  const reason = whyNotMerged(config);
  if (reason)
    throw new Error(reason);
  const places = weightPlaces(model);
  const merged = data.slice();
  for (const [name, a] of weights) {
    if (!name.endsWith(suffixA))
      continue;
    const module = name.slice(prefix.length, -suffixA.length);
    const place = places.get(`${module}.weight`);
    if (!place)
      throw new Error(`The model has no weight '${module}.weight' for '${name}'; make it again: npm run artifacts`);
    const b = weights.get(`${prefix}${module}.lora_B.weight`);
    add(new Float32Array(merged.buffer, place.offset, place.length / 4), place.dims, a, b, config);
  }
  return merged;
}

// Why an adapter cannot be merged here, or undefined.
export function whyNotMerged({ peft_type: type, use_dora: dora, bias, modules_to_save: saved, rank_pattern: ranks,
  alpha_pattern: alphas }) {
  const isPlain = type === 'LORA' && !dora && (bias ?? 'none') === 'none' && !saved?.length
    && Object.keys({ ...ranks, ...alphas }).length === 0;
  return isPlain ? undefined : 'Only plain LoRA is merged here; merge the adapter with: ortpeft merge';
}

const prefix = 'base_model.model.';
const suffixA = '.lora_A.weight';

// W += scale · B·A, W as [out, in] or, in GPT-2, [in, out].
function add(weight, dims, { dims: [rank, columns], data: a }, { dims: [rows], data: b }, config) {
  const scale = config.lora_alpha / (config.use_rslora ? Math.sqrt(rank) : rank);
  const isTurned = config.fan_in_fan_out;
  if (dims[0] !== (isTurned ? columns : rows) || dims[1] !== (isTurned ? rows : columns))
    throw new Error(`A weight is [${dims}], and its adapter makes [${rows}, ${columns}]; make the model again.`);
  for (let o = 0; o < rows; o++) {
    for (let i = 0; i < columns; i++) {
      let sum = 0;
      for (let r = 0; r < rank; r++)
        sum += b[o * rank + r] * a[r * columns + i];
      weight[isTurned ? i * rows + o : o * columns + i] += scale * sum;
    }
  }
}

// Where the data file has each initializer: by name { dims, offset, length }. Field numbers are onnx.proto's.
function weightPlaces(model) {
  const places = new Map();
  for (const graph of fields(model).filter(({ number }) => number === 7)) {
    for (const initializer of fields(graph.bytes).filter(({ number }) => number === 5)) {
      const parts = fields(initializer.bytes);
      const name = text(parts.find(({ number }) => number === 8)?.bytes ?? new Uint8Array());
      const external = new Map(parts.filter(({ number }) => number === 13).map(({ bytes }) => {
        const [key, value] = fields(bytes);
        return [text(key.bytes), text(value.bytes)];
      }));
      const dims = parts.filter(({ number }) => number === 1).flatMap(({ value, bytes }) => bytes ? varints(bytes) : value);
      if (external.has('location'))
        places.set(name, { dims, offset: Number(external.get('offset') ?? 0), length: Number(external.get('length')) });
    }
  }
  return places;
}

const text = bytes => new TextDecoder().decode(bytes);

// A protobuf message's fields in order: { number, value } of numbers, { number, bytes } of the rest.
function fields(bytes) {
  const found = [];
  let at = 0;
  const next = () => {
    const [value, end] = varint(bytes, at);
    at = end;
    return value;
  };
  while (at < bytes.length) {
    const tag = next();
    const [number, kind] = [Math.floor(tag / 8), tag % 8];
    if (kind === 0) {
      found.push({ number, value: next() });
      continue;
    }
    if (kind !== 1 && kind !== 2 && kind !== 5)
      throw new Error('model.onnx is damaged; make it again: npm run artifacts');
    const length = kind === 2 ? next() : kind === 1 ? 8 : 4;
    found.push({ number, bytes: bytes.subarray(at, at + length) });
    at += length;
  }
  return found;
}

function varints(bytes) {
  const values = [];
  for (let at = 0; at < bytes.length;) {
    const [value, end] = varint(bytes, at);
    values.push(value);
    at = end;
  }
  return values;
}

function varint(bytes, at) {
  let [value, unit] = [0, 1];
  while (true) {
    const byte = bytes[at++];
    if (byte === undefined)
      throw new Error('model.onnx is cut off; make it again: npm run artifacts');
    value += (byte & 127) * unit;
    if (byte < 128)
      return [value, at];
    unit *= 128;
  }
}
