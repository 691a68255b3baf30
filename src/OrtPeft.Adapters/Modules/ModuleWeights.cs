using OrtPeft.Onnx;

namespace OrtPeft.Adapters.Modules;

/// <summary>Exchanges the weights of linear layers when an adapter is folded in.</summary>
internal static class ModuleWeights
{
    /// <summary>A layer's weight as float32 in its own layout; a copy.</summary>
    /// <exception cref="ConfigException">It is of another type.</exception>
    public static float[] Read(LinearModule module)
    {
        var weight = module.Weight.Initializer!;
        return weight.Type == ElementType.Float
            ? weight.ToFloat32()
            : throw new ConfigException($"{module.Name}: its weight is {weight.Type}; merging needs Float weights.");
    }

    /// <summary>
    /// Gives a layer another weight. One that other nodes read too (tied embeddings) stays as it is for them.
    /// </summary>
    public static void Replace(Graph graph, LinearModule module, Tensor content)
    {
        var weight = module.Weight;
        if (weight.Uses.Count == 1)
        {
            graph.SetInitializer(weight, content);
            return;
        }

        var own = graph.AddInitializer(graph.FreshName($"{module.Name}.weight"), content);
        var reader = module.Node.Inputs[1] == weight ? module.Node : module.Node.Inputs[1]!.Producer!;
        reader.SetInput(reader == module.Node ? 1 : 0, own);
    }
}
