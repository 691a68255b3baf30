using OrtPeft.Adapters.Full;
using OrtPeft.Adapters.Tests.Proof;
using OrtPeft.Compilation.Graphs;
using OrtPeft.Compilation.Objectives;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Decoders;
using OrtPeft.Runtime.Sessions;
using OrtPeft.Tensors;
using OrtPeft.Testing;

namespace OrtPeft.Adapters.Tests.Goldens;

/// <summary>Every parameter of every fixture graph trains with PyTorch's gradient.</summary>
public sealed class GraphGradientTests
{
    /// <summary>Float32 sums of a few hundred terms: ten times what is met.</summary>
    private const double Tolerance = 1e-4;

    /// <summary>Holds gradients of the function that most graphs are.</summary>
    private const string Reference = "hf442_g2l_nopast_op13.onnx";

    public static TheoryData<string> Graphs => [.. GraphGolden.Graphs];

    public static TheoryData<string> GraphsWithPast =>
        [.. GraphGolden.Graphs.Where(static g => GraphGolden.Open(g).Cases.Any(IsWithRandomPast))];

    [Theory]
    [MemberData(nameof(Graphs))]
    public void ForTraining_WhenEverythingTrains_GivesPyTorchsLossesAndGradients(string graph)
    {
        var golden = GraphGolden.Open(graph);
        var peft = PeftModel.Create(golden.Load(), new FullConfig());
        var training = TrainingGraph.Build(peft, new CausalLm(), new() { BaseDropout = false }).Model;
        using var session = ModelSession.Open(training, new RuntimeOptions { Threads = 1 });

        var losses = CasesWithoutPast(golden).ToDictionary(
            static name => name, name => Run(session, training, peft, golden.Inputs(name)).Loss);
        var steps = GradientCases(golden).ToDictionary(
            static c => c, c => Run(session, training, peft, c.Golden.Inputs(c.Name)).Gradients);

        Assert.Equal(ParametersOf(golden).Keys.Order(), peft.Parameters.Select(static p => p.Name).Order());
        Assert.NotEmpty(losses);
        foreach (var (name, loss) in losses)
            Assert.Equal(golden.Loss(name)!.Value, loss, 1e-5);
        Assert.NotEmpty(steps);
        Assert.Contains(steps, static s => s.Key.Golden.Gradients(s.Key.Name).Count > 0);
        foreach (var ((source, name), gradients) in steps)
        {
            SameGradients(golden, source.Gradients(name), gradients, $"{source.Graph}: {name}");
            SameNorms(golden, source.GradientNorms(name), gradients, $"{source.Graph}: {name}");
        }
    }

    [Theory]
    [MemberData(nameof(GraphsWithPast))]
    public void GradientsAt_WhenAPastIsFed_GivesPyTorchsGradientsOfCachesAndWeights(string graph)
    {
        var golden = GraphGolden.Open(graph);
        var peft = PeftModel.Create(golden.Load(), new FullConfig());
        var pasts = golden.Load().Graph.Inputs.Where(CacheInputs.IsPast).Select(static i => i.Name).ToArray();
        var parameters = peft.Parameters.Select(static p => p.Name);
        var training = GradientsAt.Build(peft.Model, [.. parameters, .. pasts]);
        using var session = ModelSession.Open(training, new RuntimeOptions { Threads = 1 });
        var cases = golden.Cases.Where(c => golden.Loss(c) is not null).ToArray();

        var steps = cases.ToDictionary(
            static name => name, name => Run(session, training, peft, golden.Inputs(name)));

        foreach (var (name, step) in steps)
            Assert.Equal(golden.Loss(name)!.Value, step.Loss, 1e-5);
        var withGradients = cases.Single(c => golden.Gradients(c).Count > 0);
        var found = steps[withGradients].Gradients;
        SamePasts(golden.Gradients(withGradients), pasts, found);
        SameNorms(golden, golden.GradientNorms(withGradients), found, withGradients);
    }

    /// <summary>
    /// Optimisers drop the Identity nodes behind which exporters name parameters of equal value: the layers that read
    /// a vector must tell whose it is.
    /// </summary>
    [Fact]
    public void ForTraining_WhenSharedVectorsHaveLostTheirNames_GivesEachItsOwnGradient()
    {
        var golden = GraphGolden.Open("hf442_g2l_defaultinit_nopast_op13.onnx");
        var model = golden.Load();
        foreach (var identity in model.Graph.Nodes.Where(static n => n.Is("Identity")).ToArray())
        {
            model.Graph.ReplaceAllUsesWith(identity.Output, identity.Inputs[0]!);
            model.Graph.Remove(identity);
        }

        var peft = PeftModel.Create(model, new FullConfig());
        var training = TrainingGraph.Build(peft, new CausalLm()).Model;
        using var session = ModelSession.Open(training, new RuntimeOptions { Threads = 1 });
        var step = Run(session, training, peft, golden.Inputs("rightpad"));

        Assert.Equal(ParametersOf(golden).Keys.Order(), peft.Parameters.Select(static p => p.Name).Order());
        SameGradients(golden, golden.Gradients("rightpad"), step.Gradients, "rightpad");
    }

    private static bool IsWithRandomPast(string name) => name.Contains("_rand_", StringComparison.Ordinal);

    private static IEnumerable<string> CasesWithoutPast(GraphGolden golden) => golden.Cases.Where(
        c => golden.Loss(c) is not null && golden.Inputs(c)
            .All(static i => !i.Key.StartsWith("past", StringComparison.Ordinal) || i.Value.Count == 0));

    /// <summary>
    /// A graph's own gradients, or those of the function that it is another form of. Padding on the right, labelled
    /// −100, reaches no loss, so that even graphs without a mask share them; padding on the left shows in positions.
    /// </summary>
    private static IEnumerable<(GraphGolden Golden, string Name)> GradientCases(GraphGolden golden)
    {
        var own = CasesWithoutPast(golden).Where(c => golden.GradientNorms(c).Count > 0).ToArray();
        if (own.Length > 0)
            return own.Select(c => (golden, c));
        var hasPositions = golden.Inputs(golden.Cases[0]).ContainsKey("position_ids");
        string[] shared = hasPositions ? ["rightpad", "leftpad"] : ["rightpad"];
        return shared.Select(static c => (GraphGolden.Open(Reference), c));
    }

    /// <summary>The trained parameters' names, and which PyTorch parameter each is.</summary>
    private static Dictionary<string, (string Parameter, bool IsTransposed)> ParametersOf(GraphGolden golden)
    {
        var found = golden.Initializers.ToDictionary(
            static i => i.Value.IsTransposed ? i.Key : i.Value.Parameter, static i => i.Value);
        foreach (var parameter in golden.Sharing)
            found[parameter] = (parameter, false);
        return found;
    }

    private static Step Run(
        ModelSession session, Model training, PeftModel peft, Dictionary<string, Tensor> batch)
    {
        var weights = peft.GetWeights();
        var count = Step.SupervisedIn(batch["labels"]);
        var feeds = Feeds.Of(training.Graph, batch, weights);
        feeds[TrainingGraph.Scale] = Tensor.Scalar(1f / count);
        var outputs = OnnxRun.Of(session, feeds);
        Assert.Equal(count, outputs[TrainingGraph.Count].ToInt64()[0]);
        return new Step(
            outputs[TrainingGraph.LossSum].ToFloat32()[0] / count,
            outputs.Where(static o => o.Key.EndsWith(".grad", StringComparison.Ordinal))
                .ToDictionary(static o => o.Key[..^".grad".Length], static o => o.Value));
    }

    private static void SameGradients(
        GraphGolden golden,
        Dictionary<string, Tensor> expected,
        IReadOnlyDictionary<string, Tensor> actual,
        string where)
    {
        foreach (var (parameter, gradient) in expected)
        {
            var found = Tensor.Of<float>(Sum(golden, parameter, actual), gradient.Dims.AsSpan());
            var (left, right) = (KeyBias.Left(parameter, gradient), KeyBias.Left(parameter, found));
            Near.Relative(left, right, Tolerance, $"{where}: {parameter}");
        }
    }

    private static void SameNorms(
        GraphGolden golden,
        IReadOnlyDictionary<string, double> expected,
        IReadOnlyDictionary<string, Tensor> actual,
        string where)
    {
        Assert.NotEmpty(expected);
        foreach (var (parameter, norm) in expected)
        {
            var found = Norm(Sum(golden, parameter, actual));
            Assert.True(Math.Abs(found - norm) <= Tolerance * norm, $"{where}: |{parameter}| {found}, not {norm}");
        }
    }

    /// <summary>A tied weight may stand twice in a graph: its gradient is the sum over both.</summary>
    private static float[] Sum(GraphGolden golden, string parameter, IReadOnlyDictionary<string, Tensor> gradients)
    {
        float[]? sum = null;
        foreach (var (name, (_, isTransposed)) in ParametersOf(golden).Where(p => p.Value.Parameter == parameter))
        {
            var part = isTransposed ? Transposed(gradients[name]) : gradients[name].ToFloat32();
            sum = sum is null ? part : [.. sum.Zip(part, static (a, b) => a + b)];
        }

        Assert.NotNull(sum);
        return sum;
    }

    private static float[] Transposed(Tensor matrix)
    {
        var (rows, columns) = ((int)matrix.Dims[0], (int)matrix.Dims[1]);
        var values = matrix.ToFloat32();
        return [.. Enumerable.Range(0, values.Length).Select(i => values[(i % rows * columns) + (i / rows)])];
    }

    /// <summary>PyTorch's keys and values stand apart; a graph may stack both of a layer in one input.</summary>
    private static void SamePasts(
        Dictionary<string, Tensor> expected, string[] pasts, IReadOnlyDictionary<string, Tensor> found)
    {
        Assert.Equal(4, expected.Count);
        var isStacked = pasts.Length < expected.Count;
        var wanted = isStacked
            ? pasts.Select((p, l) => (Name: p, Values: Stacked(expected, l)))
            : pasts.Select(p => (Name: p, Values: expected[p].ToFloat32()));
        foreach (var (name, values) in wanted)
            Near.Relative(values, found[name].ToFloat32(), Tolerance, name);
    }

    private static float[] Stacked(Dictionary<string, Tensor> gradients, int layer) =>
    [
        .. gradients[$"past_key_values.{layer}.key"].ToFloat32(),
        .. gradients[$"past_key_values.{layer}.value"].ToFloat32(),
    ];

    private static double Norm(float[] values) => Math.Sqrt(values.Sum(static v => (double)v * v));
}
