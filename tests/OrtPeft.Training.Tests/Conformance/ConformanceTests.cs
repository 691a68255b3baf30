using OrtPeft.Adapters;
using OrtPeft.Adapters.Artifacts;
using OrtPeft.Adapters.Artifacts.Objectives;
using OrtPeft.Adapters.Configuration;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Passes;
using OrtPeft.Testing;
using OrtPeft.Training.Tests.Runs;

namespace OrtPeft.Training.Tests.Conformance;

/// <summary>What every PEFT method must do, whatever it is.</summary>
public sealed class ConformanceTests
{
    /// <summary>float32 through two layers: rounding of sums in another order.</summary>
    private const double SameLogits = 1e-5;

    public static TheoryData<string> Names => MethodCases.Names;

    [Fact]
    public void Catalogue_EachMethod_HasACaseAndEachCaseAMethod()
    {
        var methods = PeftMethods.All.Select(static m => m.Description.Name).Order();

        var cases = MethodCases.All.Select(static c => c.Method).Distinct().Order();

        Assert.Equal(methods, cases);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Create_WhenThePromiseIsGiven_AnswersAsTheBase(string name)
    {
        var method = MethodCases.Named(name);

        var difference = Difference(Canonical(Tiny.Base), Fresh(method).Model);

        Assert.Equal(method.StartsAsBase, difference <= SameLogits);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Create_WithTheSameSeed_GivesTheSameWeights(string name)
    {
        var method = MethodCases.Named(name);

        var (first, second) = (Fresh(method), Fresh(method));

        Assert.Equal(Tiny.Numbers(first), Tiny.Numbers(second));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void ForTraining_MakesOneGradientPerParameter_AndOfNothingElse(string name)
    {
        var model = Fresh(MethodCases.Named(name));

        var graph = TrainingGraph.ForTraining(model, new CausalLm()).Graph;

        var gradients = graph.Outputs.Select(static o => o.Name)
            .Where(static n => n.EndsWith(".grad", StringComparison.Ordinal));
        Assert.Equal(model.Parameters.Select(static p => TrainingGraph.GradientOf(p.Name)), gradients);
        Assert.All(model.Parameters, p => Assert.Contains(graph.Inputs, i => i.Name == p.Name));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Train_LowersTheLoss_AndChangesTheAdapterAlone(string name)
    {
        var method = MethodCases.Named(name);
        var model = Fresh(method);
        var (before, rest) = (Copy(model.GetWeights()), Rest(model));

        var steps = Tiny.Run(model, Arguments(method, steps: 12));

        var (first, last) = (steps.Take(4).Sum(static s => s.Loss), steps.TakeLast(4).Sum(static s => s.Loss));
        Assert.True(last < first, $"the loss of an epoch went from {first / 4} to {last / 4}");
        var trained = model.Parameters.Select(static p => p.Name).ToHashSet();
        Assert.All(model.GetWeights(), w =>
            Assert.Equal(trained.Contains(w.Key), !before[w.Key].SequenceEqual(w.Value.ToFloat32())));
        Assert.All(rest, r => Assert.Same(r.Value, model.Model.Graph.Find(r.Key)!.Initializer));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Load_WhenSaved_AnswersAsBefore(string name)
    {
        using var folder = new TemporaryFolder();
        var model = Trained(MethodCases.Named(name));
        model.Save(folder.Path);

        var loaded = PeftModel.Load(Tiny.Base, folder.Path);

        Assert.InRange(Difference(model.Model, loaded.Model), 0, SameLogits);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Save_WhenLoaded_WritesTheSameFilesAgain(string name)
    {
        using var folder = new TemporaryFolder();
        var (first, second) = (Path.Combine(folder.Path, "first"), Path.Combine(folder.Path, "second"));
        Trained(MethodCases.Named(name)).Save(first);

        PeftModel.Load(Tiny.Base, first).Save(second);

        foreach (var file in new[] { AdapterFolder.ConfigFile, AdapterFolder.WeightsFile })
            Assert.Equal(File.ReadAllBytes(Path.Combine(first, file)), File.ReadAllBytes(Path.Combine(second, file)));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void ReadConfig_OfItsOwnJson_IsTheSameConfiguration(string name)
    {
        var config = Fresh(MethodCases.Named(name)).Config;

        var read = PeftMethods.Read(new ConfigFields(config.ToJson(), "config"), "config");

        Assert.Equal(config.ToJson().ToJsonString(), read.ToJson().ToJsonString());
        Assert.All(read.Unknown, static f => Assert.Contains(f.Value?.ToJsonString(), new[] { null, "false" }));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Train_LeavesTheBaseAsItWas(string name)
    {
        var (given, untouched) = (Tiny.Base, Canonical(Tiny.Base));
        var method = MethodCases.Named(name);
        var model = PeftModel.Create(given, method.Config);

        Tiny.Run(model, Arguments(method, steps: 4));

        Assert.Equal(0, Difference(untouched, Canonical(given)));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Merge_WhenTrained_AnswersAsBefore_OrSaysWhyNot(string name)
    {
        var method = MethodCases.Named(name);
        var model = Trained(method);

        if (PeftMethods.Named(method.Method).Description.WhyNotMergeable is { } reason)
        {
            Assert.Contains(reason, Assert.Throws<ConfigException>(model.Merge).Message, StringComparison.Ordinal);
            return;
        }

        var merged = model.Merge();

        Assert.InRange(Difference(model.Model, merged), 0, SameLogits);
        Assert.Equal(Canonical(Tiny.Base).Graph.Nodes.Count, merged.Graph.Nodes.Count);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Merge_OfTheSameAdapterTwice_IsRefused(string name)
    {
        var method = MethodCases.Named(name);
        if (PeftMethods.Named(method.Method).Description.WhyNotMergeable is not null)
            return;
        using var folder = new TemporaryFolder();
        var model = Trained(method);
        model.Save(folder.Path);
        var again = PeftModel.Load(model.Merge(), folder.Path);

        var error = Assert.Throws<ConfigException>(again.Merge);

        Assert.Contains("already", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Disable_GivesTheBase_AndEnableTheAdapter(string name)
    {
        var model = Trained(MethodCases.Named(name));
        var adapted = Logits(model.Model);

        model.Disable();

        Assert.Equal(0, Difference(Canonical(Tiny.Base), model.Model));
        model.Enable();
        Assert.Equal(adapted, Logits(model.Model));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void SetAdapter_ThereAndBack_AnswersAsBefore(string name)
    {
        var model = Trained(MethodCases.Named(name));
        var adapted = Logits(model.Model);
        model.AddAdapter("other", MethodCases.Named("lora:random").Config, seed: 2);

        model.SetAdapter("other");

        Assert.NotEqual(adapted, Logits(model.Model));
        model.SetAdapter("default");
        Assert.Equal(adapted, Logits(model.Model));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void SetAdapter_BesideAnother_AnswersAsBothMerged_OrSaysWhyNot(string name)
    {
        var model = Trained(MethodCases.Named(name));
        model.AddAdapter("other", MethodCases.Named("lora:random").Config, seed: 2);

        if (model.Config.WhyNotBesideOthers is { } reason)
        {
            var error = Assert.Throws<ConfigException>(() => model.SetAdapter("default", "other"));
            Assert.Contains(reason, error.Message, StringComparison.Ordinal);
            return;
        }

        model.SetAdapter("default", "other");

        Assert.InRange(Difference(model.Model, model.Merge()), 0, SameLogits);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Load_OnAnotherBase_IsRefused(string name)
    {
        using var folder = new TemporaryFolder();
        Fresh(MethodCases.Named(name)).Save(folder.Path);

        Assert.Throws<ConfigException>(() => PeftModel.Load(Tiny.OtherBase, folder.Path));
    }

    private static PeftModel Fresh(MethodCase method) => PeftModel.Create(Tiny.Base, method.Config, seed: 1);

    private static PeftModel Trained(MethodCase method)
    {
        var model = Fresh(method);
        Tiny.Run(model, Arguments(method, steps: 3));
        return model;
    }

    private static TrainingArguments Arguments(MethodCase method, int steps) => Tiny.Arguments with
    {
        MaxSteps = steps,
        LearningRate = method.LearningRate,
        Schedule = "constant",
    };

    private static Dictionary<string, float[]> Copy(IReadOnlyDictionary<string, Tensor> weights) =>
        weights.ToDictionary(static w => w.Key, static w => w.Value.ToFloat32());

    private static Dictionary<string, Tensor> Rest(PeftModel model)
    {
        var own = model.Parameters.Concat(model.Buffers).Select(static p => p.Value).ToHashSet();
        return model.Model.Graph.Initializers.Where(v => !own.Contains(v))
            .ToDictionary(static v => v.Name, static v => v.Initializer!);
    }

    private static Model Canonical(Model model)
    {
        var canonical = model.Clone();
        CanonicalForm.Apply(canonical);
        return canonical;
    }

    private static double Difference(Model expected, Model actual)
    {
        var (left, right) = (Logits(expected), Logits(actual));
        return left.Length == right.Length
            ? left.Zip(right, static (a, b) => Math.Abs((double)a - b)).Max()
            : double.PositiveInfinity;
    }

    private static float[] Logits(Model model) => DecoderLogits.Of(model, TrainRun.Batch(0)).ToFloat32();
}
