using System.Text.RegularExpressions;
using OrtPeft.Onnx.Serialization;
using OrtPeft.Onnx.Shapes;
using OrtPeft.Onnx.Tests.Corpus;
using OrtPeft.Testing;
using Xunit.Abstractions;

namespace OrtPeft.Onnx.Tests.Shapes;

public sealed partial class ShapeInferenceCorpusTests(ITestOutputHelper log)
{
    private static readonly Sizes First = new(Batch: 2, Sequence: 5, Past: 3);
    private static readonly Sizes Second = new(Batch: 3, Sequence: 7, Past: 4);

    public static TheoryData<string> Graphs => [.. Fixtures.Graphs];

    [Theory]
    [MemberData(nameof(Graphs))]
    public void Infer_OnARealModel_AgreesWithOnnxRuntime(string name)
    {
        var model = OnnxFile.Load(Fixtures.Graph(name));
        new ShapeInference(model.Opset).Infer(model.Graph);
        var exposed = Exposed(model);

        var mistakes = new[] { First, Second }.SelectMany(sizes => Mistakes(model, exposed, sizes));

        Assert.Empty(mistakes);
    }

    [Theory]
    [MemberData(nameof(Graphs))]
    public void Infer_OnARealModel_LeavesOnlyExplainedAxesUnknown(string name)
    {
        var model = OnnxFile.Load(Fixtures.Graph(name));

        new ShapeInference(model.Opset).Infer(model.Graph);

        var values = model.Graph.Nodes.SelectMany(static n => n.Outputs).ToList();
        var unknown = values.Where(static v => v.Shape is null || v.Shape.Any(static d => !d.IsKnown)).ToList();
        log.WriteLine($"{name}: {values.Count - unknown.Count} of {values.Count} values known in all axes");
        Assert.DoesNotContain(unknown, v => !IsExplained(name, v));
    }

    [Theory]
    [MemberData(nameof(Graphs))]
    public void Infer_Twice_GivesTheSame(string name)
    {
        var model = OnnxFile.Load(Fixtures.Graph(name));
        new ShapeInference(model.Opset).Infer(model.Graph);
        var once = model.Graph.Values.Select(static v => v.ToString()).ToList();

        new ShapeInference(model.Opset).Infer(model.Graph);

        Assert.Equal(once, model.Graph.Values.Select(static v => v.ToString()));
    }

    /// <summary>
    /// The attention mask's length is an input's own symbol: that it equals past + sequence, the scores' length, is not
    /// stated anywhere. The two branches of the merged model make presents of different lengths. And opset 9 has no
    /// Range: PyTorch counts positions as the places of ones, whose number only their values tell.
    /// </summary>
    private static bool IsExplained(string name, Value value)
    {
        if (name.Contains("legacymerged", StringComparison.Ordinal))
            return value.Name.StartsWith("present.", StringComparison.Ordinal);
        if (name.Contains("_op9_", StringComparison.Ordinal))
            return IsBehindNonZero(value);
        return name.Contains("_past_", StringComparison.Ordinal) && MaskedScores().IsMatch(value.Name);
    }

    private static bool IsBehindNonZero(Value value) => value.Producer is { } node
        && (node.Is("NonZero") || node.Inputs.OfType<Value>().Any(IsBehindNonZero));

    private static IEnumerable<string> Mistakes(Model model, byte[] exposed, Sizes sizes)
    {
        var actual = Run.Of(exposed, RandomInputs.For(model.Graph, sizes, seed: 2), optimise: false);
        foreach (var (name, result) in actual)
        {
            var value = model.Graph.Find(name)!;
            if (value.Type != result.Type || value.Shape is null || !Fits(value.Shape, result.Dims, sizes))
                yield return $"{value.Producer}: {value}, not {result.Type}[{string.Join(", ", result.Dims)}]";
        }
    }

    private static bool Fits(Shape shape, long[] dims, Sizes sizes) => shape.Rank == dims.Length
        && shape.Zip(dims).All(p => !p.First.IsKnown || p.First.Expression!.Evaluate(sizes.BySymbol) == p.Second);

    private static byte[] Exposed(Model model)
    {
        var copy = model.Clone();
        foreach (var value in copy.Graph.Nodes.SelectMany(static n => n.Outputs).ToList())
        {
            if (value.Name.Length > 0 && !value.IsGraphOutput)
                copy.Graph.AddOutput(value);
        }

        return OnnxFile.ToBytes(copy);
    }

    [GeneratedRegex("attn/(Add_1|Softmax|Cast_2)_output_0$")]
    private static partial Regex MaskedScores();
}
