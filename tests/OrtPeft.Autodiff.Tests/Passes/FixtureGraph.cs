using OrtPeft.Autodiff.Tests.Proof;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Serialization;
using OrtPeft.Tensors;

namespace OrtPeft.Autodiff.Tests.Passes;

/// <summary>
/// GPT-2 with two layers as exported from HF transformers, and what it computes for one batch of three rows.
/// </summary>
internal static class FixtureGraph
{
    public const int Batch = 3;

    public const int Sequence = 5;

    public static Model Load(string name) =>
        OnnxFile.Load(Path.Combine(AppContext.BaseDirectory, "Fixtures", "graphs", name + ".onnx"));

    /// <summary>Feeds token ids, a mask with some padding, position ids, and caches of length 0.</summary>
    public static IReadOnlyList<float[]> Run(Model model)
    {
        using var session = new TestSession(model);
        foreach (var input in model.Graph.Inputs.Where(static i => i.Initializer is null))
            Feed(session, input);
        var results = session.Run<float>([.. model.Graph.Outputs.Select(static o => o.Name)]);
        Assert.All(results, static r => Assert.True(Array.TrueForAll(r.Elements, float.IsFinite)));
        return [.. results.Select(static r => r.Elements)];
    }

    /// <summary>The logits are the only result.</summary>
    public static Model LogitsOnly(Model model)
    {
        foreach (var output in model.Graph.Outputs.Where(static o => o.Name != "logits").ToArray())
            model.Graph.RemoveOutput(output);
        model.Graph.RemoveDeadCode();
        return model;
    }

    private static void Feed(TestSession session, Value input)
    {
        var elements = Enumerable.Range(0, Batch * Sequence);
        if (input.Type.IsFloating() && input.Shape is { Rank: 4 } cache)
            session.Feed(input.Name, Array.Empty<float>(), Batch, cache[1].Value!.Value, 0, cache[3].Value!.Value);
        else
            session.Feed(input.Name, elements.Select(i => Element(input.Name, i)).ToArray(), Batch, Sequence);
    }

    private static long Element(string input, int i) => input switch
    {
        "input_ids" => (7 * i * i) % 61,
        "attention_mask" => i % Sequence == Sequence - 1 && i > Sequence ? 0 : 1,
        "position_ids" => i % Sequence,
        _ => throw new ArgumentOutOfRangeException(nameof(input), input, "No such input is expected."),
    };
}
