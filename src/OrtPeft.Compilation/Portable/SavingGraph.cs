using OrtPeft.Adapters;
using OrtPeft.Compilation.Graphs;
using OrtPeft.Onnx.Passes;

namespace OrtPeft.Compilation.Portable;

/// <summary>
/// The part of an adapted graph that makes what is saved of the trained parameters, such as a prompt's encoder.
/// </summary>
internal static class SavingGraph
{
    /// <summary>Cuts the part out.</summary>
    /// <param name="peft">The adapted model.</param>
    /// <returns>Inputs: the parameters it reads, under their names on disk; outputs: what is saved, under its name on
    /// disk. Null where parameters are saved as they are.</returns>
    public static CompiledGraph? Build(PeftModel peft)
    {
        if (peft.Computed.Count == 0)
            return null;
        var model = peft.Model.Clone();
        var graph = model.Graph;
        DropoutLowering.ForEvaluation(model);
        foreach (var output in graph.Outputs.ToArray())
            graph.RemoveOutput(output);
        foreach (var computed in peft.Computed)
            graph.AddOutput(graph.Find(computed.Value.Name)!);
        graph.RemoveDeadCode();
        foreach (var input in graph.Inputs.ToArray())
            graph.Remove(input);
        foreach (var parameter in peft.Parameters)
        {
            if (graph.Find(parameter.Value.Name) is not { } value)
                continue;
            graph.Rename(value, parameter.Name);
            graph.TurnIntoInput(value);
        }

        foreach (var computed in peft.Computed)
            graph.Rename(graph.Find(computed.Value.Name)!, computed.Name);
        return new CompiledGraph(model, GraphContract.OfSaving(graph));
    }
}
