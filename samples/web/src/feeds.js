// Which of a model's inputs come with every batch.

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
  const cast = { int64: values => values, int32: Int32Array.from, float32: Float32Array.from }[input.dtype];
  return new ort.Tensor(input.dtype, input.dtype === 'int64' ? values : cast(values, Number), batch.dims);
}

// Keys or values of no token: the axis that has a name and is not the batch is empty.
function emptyPast(ort, input, batch) {
  const dims = input.dims.map((dim, axis) => (typeof dim === 'number' ? dim : axis === 0 ? batch.dims[0] : 0));
  return new ort.Tensor(input.dtype, new Float32Array(0), dims);
}
