using System.Collections.Frozen;
using OrtPeft.Adapters;
using OrtPeft.Artifacts;
using OrtPeft.Compilation.Graphs;
using OrtPeft.Onnx;

namespace OrtPeft.Compilation.OrtTraining;

/// <summary>The inputs and outputs of the training API's models, and their roles.</summary>
internal static class TrainingContract
{
    private static readonly FrozenDictionary<string, string> OptimizerRoles = new Dictionary<string, string>
    {
        ["learning_rate"] = ValueRoles.LearningRate,
        ["step"] = ValueRoles.Step,
        ["params"] = ValueRoles.Parameters,
        ["gradients"] = ValueRoles.Gradients,
        ["first_order_moments"] = ValueRoles.FirstMoments,
        ["second_order_moments"] = ValueRoles.SecondMoments,
    }.ToFrozenDictionary(StringComparer.Ordinal);

    public static ArtifactParameter[] Parameters(PeftModel peft) =>
    [
        .. peft.Parameters.Select(static p => new ArtifactParameter
        {
            Name = p.Name,
            Input = p.Name,
            Dims = [.. p.Value.Initializer!.Dims],
        }),
    ];

    public static ArtifactGraph OfLoss(Graph graph, LossModels models, string file)
    {
        var roles = models.UserInputs.ToDictionary(
            static i => i.Name, static i => (Role: GraphContract.DataRole(i), Parameter: (string?)null));
        foreach (var tensor in models.Frozen)
            roles[tensor.Name] = (ValueRoles.Frozen, tensor.Name);
        foreach (var name in models.Parameters.Select(static p => p.Name))
        {
            roles[name] = (ValueRoles.Parameter, name);
            roles[LossModels.BufferOf(name)] = (ValueRoles.GradientBuffer, name);
            roles[LossModels.AccumulatedOf(name)] = (ValueRoles.Accumulated, name);
        }

        roles[LossModels.ResetFlag] = (ValueRoles.LazyResetGrad, null);
        foreach (var output in graph.Outputs.Skip(1))
            roles.TryAdd(output.Name, (ValueRoles.Predictions, null));
        roles[graph.Outputs[0].Name] = (ValueRoles.LossMean, null);
        return new ArtifactGraph
        {
            File = file,
            Inputs = [.. graph.Inputs.Select(Described)],
            Outputs = [.. graph.Outputs.Select(Described)],
        };

        ArtifactValue Described(Value value) =>
            GraphContract.Described(value, roles[value.Name].Role, roles[value.Name].Parameter);
    }

    public static ArtifactGraph OfOptimizer(Graph graph, string file) => new()
    {
        File = file,
        Inputs = [.. graph.Inputs.Select(static v => GraphContract.Described(v, OptimizerRoles[v.Name]))],
        Outputs = [.. graph.Outputs.Select(static v => GraphContract.Described(v, ValueRoles.UpdateDone))],
    };
}
