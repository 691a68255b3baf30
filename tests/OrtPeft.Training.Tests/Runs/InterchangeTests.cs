using OrtPeft.Adapters;
using OrtPeft.Adapters.Lora;
using OrtPeft.Adapters.Modules;
using OrtPeft.Compilation.Graphs;
using OrtPeft.Compilation.Objectives;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Serialization;
using OrtPeft.Runtime.Sessions;
using OrtPeft.Testing;

namespace OrtPeft.Training.Tests.Runs;

/// <summary>An adapter trained on one exporter's graph is that adapter on every other graph of the same base.</summary>
public sealed class InterchangeTests(InterchangeTests.Targets targets) : IClassFixture<InterchangeTests.Targets>
{
    private static readonly LoraConfig Config = new()
    {
        R = 4,
        LoraAlpha = 8,
        TargetModules = ModuleTargets.AllLinear,
        InitLoraWeights = false,
    };

    /// <summary>The same weights as another function than the other graphs.</summary>
    private static readonly string[] ExactGelu = ["hf442_g2l_gelu_nopast_op16.onnx", "nanogpt_g2l_op13.onnx"];

    /// <summary>Of other weights, or not to be adapted.</summary>
    private static readonly string[] Others = ["genai", "t113", "hf442_g2l_legacymerged", "hf442_g2l_defaultinit"];

    public static TheoryData<string> Sources => [.. Graphs];

    private static IEnumerable<string> Graphs =>
        Fixtures.Graphs.Where(static g => !Others.Any(o => g.StartsWith(o, StringComparison.Ordinal)));

    [Theory]
    [MemberData(nameof(Sources))]
    public void SetWeights_FromAnyOtherGraphsAdapter_GivesTheSameLoss(string source)
    {
        using var folder = new TemporaryFolder();
        var trained = PeftModel.Create(OnnxFile.Load(Fixtures.Graph(source)), Config);
        Tiny.Run(trained, Tiny.Arguments with { MaxSteps = 3, BaseDropout = false });
        trained.Save(folder.Path);

        var losses = Graphs.Where(g => ExactGelu.Contains(g) == ExactGelu.Contains(source))
            .ToDictionary(static g => g, g => targets.LossOf(g, folder.Path));

        var own = losses[source];
        Assert.True(losses.Count >= 2);
        Assert.All(losses, l => Assert.True(Math.Abs(l.Value - own) <= 1e-5, $"{l.Key}: {l.Value}, {source}: {own}"));
        Assert.All(losses, l => Assert.True(Math.Abs(l.Value - targets.Untrained(l.Key)) > 1e-3));
    }

    /// <summary>The configuration names the same modules, whichever way a graph stores their weights.</summary>
    [Theory]
    [MemberData(nameof(Sources))]
    public void Load_FromAnotherExportersAdapter_FitsAnyBase(string source)
    {
        using var folder = new TemporaryFolder();
        PeftModel.Create(OnnxFile.Load(Fixtures.Graph(source)), Config, seed: 9).Save(folder.Path);

        var loaded = PeftModel.Load(Tiny.Base, folder.Path);

        var expected = PeftModel.Create(Tiny.Base, Config, seed: 9);
        Assert.Equal(Tiny.Numbers(expected), Tiny.Numbers(loaded));
        var (ours, theirs) = ((LoraConfig)expected.Config, (LoraConfig)loaded.Config);
        Assert.Equal(ours.TargetModules, theirs.TargetModules);
    }

    /// <summary>One adapted model and one session for each graph, opened when first asked for.</summary>
    public sealed class Targets : IDisposable
    {
        private readonly Dictionary<string, (PeftModel Model, Model Graph, ModelSession Session)> _opened = [];
        private readonly Dictionary<string, double> _untrained = [];

        /// <summary>The mean loss of batch 1 with the adapter in a folder.</summary>
        public double LossOf(string graph, string folder)
        {
            var (model, _, _) = Open(graph);
            model.SetWeights(AdapterFolder.LoadWeights(folder), folder);
            return Loss(graph);
        }

        /// <summary>The loss with the adapter as it was made.</summary>
        public double Untrained(string graph)
        {
            Open(graph);
            return _untrained[graph];
        }

        public void Dispose()
        {
            foreach (var (_, _, session) in _opened.Values)
                session.Dispose();
        }

        private (PeftModel Model, Model Graph, ModelSession Session) Open(string graph)
        {
            if (_opened.TryGetValue(graph, out var opened))
                return opened;
            var model = PeftModel.Create(OnnxFile.Load(Fixtures.Graph(graph)), Config);
            var evaluation = EvaluationGraph.Build(model, new CausalLm()).Model;
            _opened[graph] = (model, evaluation, ModelSession.Open(evaluation, new RuntimeOptions { Threads = 1 }));
            _untrained[graph] = Loss(graph);
            return _opened[graph];
        }

        private double Loss(string graph)
        {
            var (model, evaluation, session) = _opened[graph];
            var outputs = OnnxRun.Of(session, Feeds.Of(evaluation.Graph, TrainRun.Batch(1), model.GetWeights()));
            return outputs[TrainingGraph.LossSum].ToFloat32()[0] / outputs[TrainingGraph.Count].ToInt64()[0];
        }
    }
}
