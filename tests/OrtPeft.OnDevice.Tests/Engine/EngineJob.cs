using System.Text.Json.Nodes;
using OrtPeft.Adapters;
using OrtPeft.Artifacts;
using OrtPeft.Compilation.Artifacts;
using OrtPeft.Compilation.Objectives;
using OrtPeft.Compilation.OrtTraining;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Serialization;
using OrtPeft.Tensors;
using OrtPeft.Testing;

namespace OrtPeft.OnDevice.Tests.Engine;

/// <summary>A set of artifacts and what the engine does with it.</summary>
/// <param name="Name">Tells it from others.</param>
/// <param name="Open">Makes the adapted model.</param>
/// <param name="Steps">What to do.</param>
internal sealed record EngineJob(string Name, Func<PeftModel> Open, IEnumerable<JsonObject> Steps)
{
    /// <summary>As the golden runs: AdamW of PyTorch at 0.01, without clipping.</summary>
    public static ArtifactSettings LikePyTorch { get; } = new()
    {
        Optimizer = new AdamWConfig { MaxGradNorm = 0 },
        FoldedLearningRate = 1e-2,
    };

    public ArtifactSettings Options { get; init; } = LikePyTorch;

    /// <summary>The batches that steps speak of; the four of the golden runs when left out.</summary>
    public IReadOnlyList<IReadOnlyDictionary<string, Tensor>> Batches { get; init; } =
        [.. Enumerable.Range(0, 4).Select(TrainRun.Batch)];

    /// <summary>What is done to the folder before the engine reads it; nothing when left out.</summary>
    public Action<string> Finish { get; init; } = static _ => { };

    /// <summary>Writes the artifacts.</summary>
    /// <returns>The job as the engine's program reads it.</returns>
    public JsonObject Write(string folder)
    {
        var model = Open();
        var manifest = OrtTrainingArtifacts.Write(model, new CausalLm(), Options, folder);
        Finish(folder);
        var data = manifest.Evaluation!.Inputs.Where(static i => i.Role is ValueRoles.Data or ValueRoles.EmptyPast)
            .Select(static i => i.Name).ToHashSet(StringComparer.Ordinal);
        var graph = OnnxFile.Load(Path.Combine(folder, manifest.Evaluation.File)).Graph;
        var userInputs = graph.Inputs.Where(i => data.Contains(i.Name)).ToArray();
        return new JsonObject
        {
            ["name"] = Name,
            ["folder"] = folder,
            ["batches"] = new JsonArray([.. Batches.Select(b => Written(userInputs, Feeds.Of(graph, b)))]),
            ["steps"] = new JsonArray([.. Steps]),
        };
    }

    private static JsonObject Written(IEnumerable<Value> inputs, Dictionary<string, Tensor> batch) =>
        new JsonObject(inputs.Select(i => KeyValuePair.Create(i.Name, (JsonNode?)Written(batch[i.Name]))));

    private static JsonObject Written(Tensor tensor) => new()
    {
        ["dtype"] = tensor.Type == ElementType.Float ? "float32" : tensor.Type == ElementType.Int32 ? "int32" : "int64",
        ["dims"] = new JsonArray([.. tensor.Dims.Select(static d => (JsonNode)d)]),
        ["data"] = tensor.Type == ElementType.Float
            ? new JsonArray([.. tensor.ToFloat32().Select(static v => (JsonNode)v)])
            : new JsonArray([.. tensor.ToInt64().Select(static v => (JsonNode)v)]),
    };
}
