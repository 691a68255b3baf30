// The safetensors format: eight bytes with the header's length, a JSON header, the tensors' bytes.

export function readSafetensors(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const headerLength = Number(view.getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + headerLength)));
  const tensors = new Map();
  delete header.__metadata__;
  for (const [name, { dtype, shape, data_offsets: [from, to] }] of Object.entries(header)) {
    if (dtype !== 'F32')
      throw new Error(`The tensor '${name}' is ${dtype}; this page reads F32.`);
    const start = 8 + headerLength;
    tensors.set(name, { dims: shape, data: new Float32Array(bytes.slice(start + from, start + to).buffer) });
  }
  return tensors;
}

// tensors: a map from name to { dims, data: Float32Array }.
export function writeSafetensors(tensors) {
  const header = { __metadata__: { format: 'pt' } };
  let length = 0;
  for (const [name, { dims, data }] of tensors) {
    header[name] = { dtype: 'F32', shape: dims, data_offsets: [length, length + data.byteLength] };
    length += data.byteLength;
  }
  let json = JSON.stringify(header);
  json += ' '.repeat(-new TextEncoder().encode(json).length & 7);
  const text = new TextEncoder().encode(json);
  const bytes = new Uint8Array(8 + text.length + length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  let at = 8 + text.length;
  for (const { data } of tensors.values()) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += data.byteLength;
  }
  return bytes;
}
