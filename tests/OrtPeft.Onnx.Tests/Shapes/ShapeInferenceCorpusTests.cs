using System.Text.RegularExpressions;
using OrtPeft.Onnx.Serialization;
using OrtPeft.Onnx.Shapes;
using OrtPeft.Onnx.Tests.Corpus;
using OrtPeft.Tensors;
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

    /// <summary>The branch without a cache wants a mask as long as the ids.</summary>
    [Theory]
    [InlineData("then_branch", 3)]
    [InlineData("else_branch", 0)]
    public void Infer_OnABranch_AgreesWithOnnxRuntime(string branch, long past)
    {
        var model = OnnxFile.Load(Fixtures.Graph("hf442_g2l_legacymerged_op13__decoder_model_merged.onnx"));
        new ShapeInference(model.Opset).Infer(model.Graph);
        var graph = model.Graph.Nodes.Single(static n => n.Is("If")).Attributes[branch].Graphs.Single();
        var values = graph.Nodes.SelectMany(static n => n.Outputs).Where(static v => v.Name.Length > 0).ToList();
        foreach (var value in values.Where(static v => !v.IsGraphOutput).ToList())
            graph.AddOutput(value);

        // Every value of the branch becomes a result of the If; the other branch gives a number for each.
        var mistakes = new[] { First, Second }
            .SelectMany(sizes => BranchMistakes(model, branch, values, sizes with { Past = past }));

        Assert.Empty(mistakes);
    }

    [Theory]
    [MemberData(nameof(Graphs))]
    public void Infer_OnWhatOnnxRuntimeOptimized_AgreesWithIt(string name)
    {
        var folder = Directory.CreateTempSubdirectory("ortpeft-");
        try
        {
            var model = Run.Optimized(Fixtures.Graph(name), folder.FullName);
            new ShapeInference(model.Opset).Infer(model.Graph);
            var exposed = Exposed(model);

            var mistakes = new[] { First, Second }.SelectMany(sizes => Mistakes(model, exposed, sizes));

            Assert.Empty(mistakes);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
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

    private static IEnumerable<string> BranchMistakes(Model model, string branch, List<Value> values, Sizes sizes)
    {
        var copy = model.Clone();
        var node = copy.Graph.Nodes.Single(static n => n.Is("If"));
        node.SetInput(0, copy.Graph.AddInitializer("condition", Tensor.Scalar(branch == "then_branch")));
        var taken = node.Attributes[branch].Graphs.Single();
        var other = node.Subgraphs.Single(g => g != taken);
        foreach (var inner in taken.Outputs.Skip(node.Outputs.Count).ToArray())
        {
            var zero = NodeAttribute.Of("value", Zero(inner.Type));
            other.AddOutput(other.AddNode("Constant", [], [$"zero/{inner.Name}"], [zero]).Output);
            var output = copy.Graph.AddNodeOutput(node, $"seen/{inner.Name}");
            output.Type = inner.Type;
            copy.Graph.AddOutput(output);
        }

        var actual = Run.Of(OnnxFile.ToBytes(copy), RandomInputs.For(copy.Graph, sizes, seed: 2), optimise: false);
        foreach (var value in values)
        {
            var result = actual.GetValueOrDefault($"seen/{value.Name}") ?? actual[value.Name];
            if (value.Type != result.Type || value.Shape is null || !Fits(value.Shape, result.Dims, sizes))
                yield return $"{value.Producer}: {value}, not {result.Type}[{string.Join(", ", result.Dims)}]";
        }
    }

    private static Tensor Zero(ElementType type) => type switch
    {
        ElementType.Float => Tensor.Scalar(0f),
        ElementType.Int64 => Tensor.Scalar(0L),
        ElementType.Bool => Tensor.Scalar(false),
        _ => throw new NotSupportedException($"{type}"),
    };

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
