using System.Text.Json.Nodes;

namespace OrtPeft.OnDevice.Tests.Engine;

/// <summary>What the engine is told to do, in the words of <c>run.mjs</c>.</summary>
internal static class EngineStep
{
    /// <summary>A train step on each batch, then one optimizer step.</summary>
    public static JsonObject Train(params ReadOnlySpan<int> batches) =>
        new() { ["do"] = "train", ["batches"] = new JsonArray([.. batches.ToArray().Select(static b => (JsonNode)b)]) };

    /// <summary>As many steps as asked for, on one batch after the other, over and over.</summary>
    public static IEnumerable<JsonObject> TrainSteps(int count, int batches = 4) =>
        Enumerable.Range(0, count).Select(i => Train(i % batches));

    public static JsonObject Evaluate(int batch) => new() { ["do"] = "eval", ["batch"] = batch };

    /// <summary>Reads the trainable parameters.</summary>
    public static JsonObject Read() => new() { ["do"] = "read" };

    /// <summary>Puts back what was last read.</summary>
    public static JsonObject WriteBack() => new() { ["do"] = "write" };
}
