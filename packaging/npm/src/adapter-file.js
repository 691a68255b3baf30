// Reads .onnx_adapter files: a flat buffer with the identifier TORT, whose tensors are called like the inputs they feed.
// https://github.com/microsoft/onnxruntime/blob/main/onnxruntime/lora/adapter_format/adapter_schema.fbs

const types = { 1: { type: 'float32', array: Float32Array }, 10: { type: 'float16', array: Uint16Array } };
const longestName = 1024;
const mostAxes = 8;

// bytes: an ArrayBuffer or Uint8Array. Gives a map from name to { type, dims, data }; data is a copy.
export function readAdapter(bytes, what = 'The adapter') {
  const view = bytes instanceof ArrayBuffer ? new DataView(bytes) : new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    return read(view);
  } catch (error) {
    const why = error instanceof RangeError || error instanceof TypeError ? 'it ends too early, or points outside itself' : error.message;
    throw new Error(`${what} is not an adapter file of ONNX Runtime, or it is damaged: ${why}.`, { cause: error });
  }
}

function read(view) {
  if (view.byteLength < 8 || text(view, 4, 4) !== 'TORT')
    throw new Error("it lacks the mark 'TORT'");
  const root = view.getUint32(0, true);
  const version = field(view, root, 0);
  if (version === undefined || view.getInt32(version, true) !== 1)
    throw new Error('its version is not 1');
  const tensors = new Map();
  let left = view.byteLength;
  const { start, count } = vector(view, field(view, root, 3), 4);
  for (let i = 0; i < count; i++) {
    const { name, ...tensor } = parameter(view, reference(view, start + 4 * i));
    if (tensors.has(name))
      throw new Error(`'${name}' stands in it twice`);
    left -= tensor.data.byteLength;
    if (left < 0)
      throw new Error('its tensors share their numbers');
    tensors.set(name, tensor);
  }
  return tensors;
}

function parameter(view, table) {
  const named = vector(view, field(view, table, 0), 1);
  const shape = vector(view, field(view, table, 1), 8);
  if (named.count > longestName || shape.count > mostAxes)
    throw new Error(`a name has ${named.count} bytes, or a tensor ${shape.count} axes`);
  const name = text(view, named.start, named.count);
  const dims = Array.from({ length: shape.count }, (_, i) => Number(view.getBigInt64(shape.start + 8 * i, true)));
  const typed = field(view, table, 2);
  const known = types[typed === undefined ? 0 : view.getInt32(typed, true)];
  if (!known)
    throw new Error(`'${name}' is neither float32 nor float16`);
  const raw = vector(view, field(view, table, 3), 1);
  const size = dims.reduce((product, dim) => product * dim, known.array.BYTES_PER_ELEMENT);
  if (dims.some(dim => dim < 0) || size !== raw.count)
    throw new Error(`'${name}' is [${dims}] and has ${raw.count} bytes`);
  const from = view.byteOffset + raw.start;
  return { name, type: known.type, dims, data: new known.array(view.buffer.slice(from, from + raw.count)) };
}

// Where a table's field lies; undefined where the table leaves it out.
function field(view, table, slot) {
  const layout = table - view.getInt32(table, true);
  const at = 4 + 2 * slot;
  const offset = at < view.getUint16(layout, true) ? view.getUint16(layout + at, true) : 0;
  return offset === 0 ? undefined : table + offset;
}

const reference = (view, at) => at + view.getUint32(at, true);

function vector(view, at, size) {
  if (at === undefined)
    throw new Error('a field is missing');
  const start = reference(view, at);
  const count = view.getUint32(start, true);
  if (start + 4 + count * size > view.byteLength)
    throw new RangeError('vector');
  return { start: start + 4, count };
}

const text = (view, from, length) =>
  new TextDecoder('utf-8', { fatal: true }).decode(new Uint8Array(view.buffer, view.byteOffset + from, length));
