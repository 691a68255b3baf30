using OrtPeft.Onnx;
using OrtPeft.Onnx.Quantization;
using OrtPeft.Tensors;

namespace OrtPeft.Adapters.Modules;

/// <summary>Exchanges the weights of linear layers and embeddings.</summary>
internal static class ModuleWeights
{
    /// <summary>A layer's weight as float32 in its own layout; a copy.</summary>
    /// <exception cref="ConfigException">It is of another type.</exception>
    public static float[] Read(LinearModule module) => Read(module.Weight, module.Name);

    /// <summary>A weight as float32; a copy.</summary>
    /// <exception cref="ConfigException">It is of another type.</exception>
    public static float[] Read(Value value, string module)
    {
        var weight = ConstantWeight.ContentOf(value);
        return weight.Type == ElementType.Float
            ? weight.ToFloat32()
            : throw new ConfigException($"{module}: its weight is {weight.Type}; merging needs Float weights.");
    }

    /// <summary>
    /// Adds s·ΔW to a layer's weight, in the weight's own layout.
    /// </summary>
    /// <param name="graph">The graph.</param>
    /// <param name="module">The layer.</param>
    /// <param name="delta">ΔW, [out, in], row-major.</param>
    /// <param name="scale">The factor s.</param>
    /// <exception cref="ConfigException">The weight is not float32.</exception>
    public static void Add(Graph graph, LinearModule module, float[] delta, double scale)
    {
        var weight = Read(module);
        var factor = (float)scale;
        var (rows, columns) = ((int)module.OutFeatures, (int)module.InFeatures);
        for (var i = 0; i < rows; i++)
        {
            for (var j = 0; j < columns; j++)
                weight[module.IsOutByIn ? (i * columns) + j : (j * rows) + i] += factor * delta[(i * columns) + j];
        }

        Replace(graph, module, Tensor.Of<float>(weight, ConstantWeight.DimsOf(module.Weight)!.Value.AsSpan()));
    }

    /// <summary>
    /// Gives a layer another weight. One that other nodes read too (tied embeddings) stays as it is for them.
    /// </summary>
    public static void Replace(Graph graph, LinearModule module, Tensor content)
    {
        var reader = module.Node.Inputs[1] == module.Weight ? module.Node : module.Node.Inputs[1]!.Producer!;
        Replace(graph, module.Name, module.Weight, reader, reader == module.Node ? 1 : 0, content);
    }

    /// <summary>
    /// Gives an embedding another matrix, in the stored one's layout, under the old one's name. A head tied to it keeps the old one as its own.
    /// </summary>
    public static void Replace(Graph graph, EmbeddingModule module, Tensor content)
    {
        if (module.Weight.Uses.Count > 1)
            graph.Rename(module.Weight, graph.FreshName($"{ModuleNames.TiedHead}.weight"));
        Replace(graph, module.Name, module.Weight, module.Reader, 0, content);
    }

    private static void Replace(Graph graph, string name, Value weight, Node reader, int index, Tensor content)
    {
        if (weight.Uses.Count == 1)
            ConstantWeight.Set(graph, weight, content);
        else
            reader.SetInput(index, graph.AddInitializer(graph.FreshName($"{name}.weight"), content));
    }
}
