using OrtPeft.Adapters;
using OrtPeft.Compilation.Graphs;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Passes;

namespace OrtPeft.Compilation.Portable;

/// <summary>
/// The graph that makes what is saved of the trained parameters where files do not hold these alone: what a prompt's
/// encoder makes, and the copies of a tied head under its own names.
/// </summary>
internal static class SavingGraph
{
    private const string Trained = "/trained";

    /// <summary>Cuts it out of an adapted graph.</summary>
    /// <param name="peft">The adapted model.</param>
    /// <returns>Inputs: the parameters it reads, under their names on disk, or with <c>/trained</c> behind those that are
    /// saved as they are; outputs: what is saved, under its name on disk. Null where parameters are saved as they
    /// are.</returns>
    public static CompiledGraph? Build(PeftModel peft)
    {
        var own = peft.Parameters.Concat(peft.Buffers).Select(static p => p.Name).ToHashSet(StringComparer.Ordinal);
        var names = peft.Adapters.SavedWeightsOf(peft.Adapters.ActiveNames[0]).Keys.ToList();
        if (peft.Computed.Count == 0 && names.TrueForAll(own.Contains))
            return null;
        var model = peft.Model.Clone();
        var graph = model.Graph;
        DropoutLowering.ForEvaluation(model);
        foreach (var output in graph.Outputs.ToArray())
            graph.RemoveOutput(output);
        var g = GraphBuilder.Over(model);
        var made = names.ConvertAll(name => (Name: name, Value: Made(g, peft, name)));
        foreach (var (_, value) in made)
            graph.AddOutput(value);
        graph.RemoveDeadCode();
        foreach (var input in graph.Inputs.ToArray())
            graph.Remove(input);
        foreach (var parameter in peft.Parameters)
        {
            if (graph.Find(parameter.Value.Name) is not { } value)
                continue;
            graph.Rename(value, names.Contains(parameter.Name) ? parameter.Name + Trained : parameter.Name);
            graph.TurnIntoInput(value);
        }

        foreach (var (name, value) in made)
            graph.Rename(value, name);
        return new CompiledGraph(model, GraphContract.OfSaving(graph, Trained));
    }

    /// <summary>The value that files hold under a name.</summary>
    private static Value Made(GraphBuilder g, PeftModel peft, string name)
    {
        if (peft.Computed.FirstOrDefault(c => c.Name == name) is { } computed)
            return g.Graph.Find(computed.Value.Name)!;
        var source = peft.Parameters.Concat(peft.Buffers).First(p => p.AllNames.Contains(name));
        var value = g.Graph.Find(source.Value.Name)!;
        return source.TransposedAliases.Contains(name) ? g.Transpose(value, 1, 0) : g.Op("Identity", value);
    }
}
