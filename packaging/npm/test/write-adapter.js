// A writer of adapter files for the tests: tensors { name, type, dims } of zeros. bytesOf says how many bytes one gets;
// isShared lets all of them point at the first one's.
export function adapterFile(tensors, { mark = 'TORT', version = 1, bytesOf = size, isShared = false } = {}) {
  const bytes = [];
  const u16 = value => bytes.push(value & 255, (value >> 8) & 255);
  const i32 = value => { u16(value & 0xffff); u16((value >>> 16) & 0xffff); };
  const align = (size, after = 0) => { while ((bytes.length + after) % size) bytes.push(0); };
  const patch = (at, value) => { for (let i = 0; i < 4; i++) bytes[at + i] = (value >>> (8 * i)) & 255; };
  const point = at => patch(at, bytes.length - at);
  const reserve = () => { i32(0); return bytes.length - 4; };

  const root = reserve();
  bytes.push(...Buffer.from(mark));
  // A table of four fields of four bytes each, its layout before it.
  const table = () => {
    align(4);
    const layout = bytes.length;
    for (const value of [12, 20, 4, 8, 12, 16])
      u16(value);
    const start = bytes.length;
    i32(start - layout);
    return [start, [reserve(), reserve(), reserve(), reserve()]];
  };
  const [adapter, [versionAt, , , parametersAt]] = table();
  patch(root, adapter - root);
  patch(versionAt, version);
  point(parametersAt);
  i32(tensors.length);
  const places = tensors.map(reserve);
  const data = [];
  tensors.forEach(({ name, type, dims }, i) => {
    align(4);
    const [start, [nameAt, dimsAt, typeAt, dataAt]] = table();
    patch(places[i], start - places[i]);
    patch(typeAt, type);
    align(4);
    point(nameAt);
    i32(Buffer.byteLength(name));
    bytes.push(...Buffer.from(name), 0);
    align(8, 4);
    point(dimsAt);
    i32(dims.length);
    for (const dim of dims) { i32(dim); i32(dim < 0 ? -1 : 0); }
    data.push([dataAt, bytesOf({ type, dims })]);
  });
  let first;
  for (const [at, length] of data) {
    if (isShared && first !== undefined) {
      patch(at, first - at);
      continue;
    }
    align(8, 4);
    first = bytes.length;
    point(at);
    i32(length);
    for (let n = 0; n < length; n++)
      bytes.push(0);
  }
  return Uint8Array.from(bytes);
}

function size({ type, dims }) {
  return dims.reduce((product, dim) => product * dim, type === 10 ? 2 : 4);
}
