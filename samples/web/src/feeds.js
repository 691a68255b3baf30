// Which of a model's inputs come with every batch.

const arrays = { int64: BigInt64Array, int32: Int32Array, float32: Float32Array };

// Feeds for the inputs whose role is 'data' or 'empty_past'. ort: the onnxruntime-web module in use.
export function dataFeeds(ort, graph, batch) {
  const feeds = {};
  for (const input of graph.inputs) {
    if (input.role === 'data')
      feeds[input.name] = dataTensor(ort, input, batch);
    else if (input.role === 'empty_past')
      feeds[input.name] = emptyPast(ort, input, batch);
  }
  return feeds;
}

function dataTensor(ort, input, batch) {
  const values = batch[input.name];
  if (!values)
    throw new Error(`The model asks for the input '${input.name}', which this page does not have.`);
  const data = input.dtype === 'int64' ? values : arrays[input.dtype].from(values, Number);
  return new ort.Tensor(input.dtype, data, batch.dims);
}

// Keys or values of no token: one axis is 0 long, and those with a name are as long as the batch.
function emptyPast(ort, input, batch) {
  const dims = input.dims.map(dim => (typeof dim === 'number' ? dim : batch.dims[0]));
  return new ort.Tensor(input.dtype, new arrays[input.dtype](0), dims);
}
