// With an encoder, such as p-tuning's, files hold what it makes of the trained parameters: a model of its own does. So does
// it with a head that has the embedding's weights under names of its own.

// graph: the manifest's `saving`; weights: the parameters, a map from name to { dims, data }; gives the file's tensors in the
// same form.
export async function encoded(ort, session, graph, weights) {
  const feeds = {};
  for (const { name, parameter = name } of graph.inputs)
    feeds[name] = new ort.Tensor('float32', weights.get(parameter).data, weights.get(parameter).dims);
  const results = await session.run(feeds);
  return new Map(Object.entries(results).map(([name, { dims, data }]) => [name, { dims, data }]));
}
