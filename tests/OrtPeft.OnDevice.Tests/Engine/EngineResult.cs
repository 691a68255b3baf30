using System.Runtime.InteropServices;
using System.Text.Json;

namespace OrtPeft.OnDevice.Tests.Engine;

/// <summary>What the engine answered to a job.</summary>
internal sealed class EngineResult(JsonElement json)
{
    public IReadOnlyList<string> TrainingInputs => Names("trainingInputs");

    public IReadOnlyList<string> EvaluationInputs => Names("evaluationInputs");

    public IReadOnlyList<string> EvaluationOutputs => Names("evaluationOutputs");

    /// <summary>The losses of all train and evaluation steps in order.</summary>
    public IReadOnlyList<double> Losses =>
    [
        .. Steps.Where(static s => s.TryGetProperty("losses", out _))
            .SelectMany(static s => s.GetProperty("losses").EnumerateArray())
            .Select(static l => l.ValueKind == JsonValueKind.Number ? l.GetDouble() : double.NaN),
    ];

    /// <summary>What the read steps gave, in order.</summary>
    public IReadOnlyList<float[]> Parameters =>
    [
        .. Steps.Where(static s => s.TryGetProperty("parameters", out _))
            .Select(static s => MemoryMarshal.Cast<byte, float>(
                s.GetProperty("parameters").GetBytesFromBase64()).ToArray()),
    ];

    private IEnumerable<JsonElement> Steps => json.GetProperty("steps").EnumerateArray();

    private string[] Names(string property) =>
        [.. json.GetProperty(property).EnumerateArray().Select(static n => n.GetString()!)];
}
