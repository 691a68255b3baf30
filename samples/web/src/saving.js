// With an encoder, such as p-tuning's, files hold what it makes of the trained parameters: a model of its own does.

// weights: the parameters, a map from name to { dims, data }; gives the file's tensors in the same form.
export async function encoded(ort, session, weights) {
  const feeds = {};
  for (const name of session.inputNames)
    feeds[name] = new ort.Tensor('float32', weights.get(name).data, weights.get(name).dims);
  const results = await session.run(feeds);
  return new Map(Object.entries(results).map(([name, { dims, data }]) => [name, { dims, data }]));
}
