using OrtPeft.Adapters;
using OrtPeft.Adapters.Configuration;
using OrtPeft.Compilation.Graphs;
using OrtPeft.Compilation.Objectives;
using OrtPeft.Onnx;
using OrtPeft.Tensors;
using OrtPeft.Testing;
using OrtPeft.Training.Tests.Runs;

namespace OrtPeft.Training.Tests.Conformance;

/// <summary>What every PEFT method must do, whatever it is, on a base of every family.</summary>
public sealed class ConformanceTests(TrainedCases trained) : IClassFixture<TrainedCases>
{
    /// <summary>float32 through two layers: rounding of sums in another order, of logits of size 1.</summary>
    private const double SameLogits = 1e-5;

    public static TheoryData<string, string> Cases => MethodCases.OnEachBase;

    public static TheoryData<string, string> Refused => MethodCases.Refused;

    [Fact]
    public void Catalogue_EachMethod_HasACaseAndEachCaseAMethod()
    {
        var methods = PeftMethods.All.Select(static m => m.Description.Name).Order();

        var cases = MethodCases.All.Select(static c => c.Method).Distinct().Order();

        Assert.Equal(methods, cases);
    }

    [Theory]
    [MemberData(nameof(Refused))]
    public void Create_WhereTheBaseHasNothingToTrain_SaysWhat(string on, string name)
    {
        var (baseModel, method) = (trained.Base(on), MethodCases.Named(name));

        var error = Assert.Throws<ConfigException>(() =>
            PeftModel.Create(baseModel.Model, baseModel.Case.Named(method.Config)));

        Assert.Contains(method.RefusedOn[on], error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Create_WhenThePromiseIsGiven_AnswersAsTheBase(string on, string name)
    {
        var @case = trained.Of(on, name);

        var difference = Difference(@case.Base.Logits, LogitsOf(@case.Fresh().Model));

        Assert.Equal(@case.Method.StartsAsBase, difference <= SameLogits);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Create_WithTheSameSeed_GivesTheSameWeights(string on, string name)
    {
        var @case = trained.Of(on, name);

        var again = @case.Fresh();

        Assert.Equal(@case.Before.Values.SelectMany(static v => v), Tiny.Numbers(again));
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void ForTraining_MakesOneGradientPerParameter_AndOfNothingElse(string on, string name)
    {
        var model = trained.Of(on, name).Model;

        var graph = TrainingGraph.Build(model, new CausalLm()).Graph;

        var gradients = graph.Outputs.Select(static o => o.Name)
            .Where(static n => n.EndsWith(".grad", StringComparison.Ordinal));
        Assert.Equal(model.Parameters.Select(static p => TrainingGraph.GradientOf(p.Name)), gradients);
        Assert.All(model.Parameters, p => Assert.Contains(graph.Inputs, i => i.Name == p.Name));
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Train_LowersTheLoss_AndChangesTheAdapterAlone(string on, string name)
    {
        var @case = trained.Of(on, name);

        var (model, steps) = (@case.Model, @case.Steps);

        var (first, last) = (steps.Take(4).Sum(static s => s.Loss), steps.TakeLast(4).Sum(static s => s.Loss));
        Assert.True(last < first, $"the loss of an epoch went from {first / 4} to {last / 4}");
        var parameters = model.Parameters.Select(static p => p.Name).ToHashSet();
        Assert.All(model.GetWeights(), w =>
            Assert.Equal(parameters.Contains(w.Key), !@case.Before[w.Key].SequenceEqual(w.Value.ToFloat32())));
        Assert.All(@case.Rest, r => Assert.Same(r.Value, model.Model.Graph.Find(r.Key)!.Initializer));
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Train_LeavesTheBaseAsItWas(string on, string name)
    {
        var @case = trained.Of(on, name);

        var (given, untouched) = (@case.Base.Model.Graph, @case.Base.Case.Open().Graph);

        Assert.Equal(untouched.Nodes.Select(Text), given.Nodes.Select(Text));
        foreach (var weight in untouched.Initializers.Where(static i => i.Type == ElementType.Float))
            Assert.Equal(weight.Initializer!.ToFloat32(), given.Find(weight.Name)!.Initializer!.ToFloat32());
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Load_WhenSaved_AnswersAsBefore(string on, string name)
    {
        using var folder = new TemporaryFolder();
        var @case = trained.Of(on, name);
        @case.Model.Save(folder.Path);

        var loaded = PeftModel.Load(@case.Base.Model, folder.Path);

        Assert.InRange(Difference(@case.Logits, LogitsOf(loaded.Model)), 0, SameLogits);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Save_WhenLoaded_WritesTheSameFilesAgain(string on, string name)
    {
        using var folder = new TemporaryFolder();
        var (first, second) = (Path.Combine(folder.Path, "first"), Path.Combine(folder.Path, "second"));
        var @case = trained.Of(on, name);
        @case.Model.Save(first);

        PeftModel.Load(@case.Base.Model, first).Save(second);

        foreach (var file in new[] { AdapterFolder.ConfigFile, AdapterFolder.WeightsFile })
            Assert.Equal(File.ReadAllBytes(Path.Combine(first, file)), File.ReadAllBytes(Path.Combine(second, file)));
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void ReadConfig_OfItsOwnJson_IsTheSameConfiguration(string on, string name)
    {
        var config = trained.Of(on, name).Model.Config;

        var read = PeftMethods.Read(new ConfigFields(config.ToJson(), "config"), "config");

        Assert.Equal(config.ToJson().ToJsonString(), read.ToJson().ToJsonString());
        Assert.All(read.Unknown, static f => Assert.Contains(f.Value?.ToJsonString(), new[] { null, "false" }));
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Merge_WhenTrained_AnswersAsBefore_OrSaysWhyNot(string on, string name)
    {
        var @case = trained.Of(on, name);

        if (@case.WhyNotMerged is { } reason)
        {
            var error = Assert.Throws<ConfigException>(@case.Model.Merge);
            Assert.Contains(reason, error.Message, StringComparison.Ordinal);
            return;
        }

        var merged = @case.Model.Merge();

        Assert.InRange(Difference(@case.Logits, LogitsOf(merged)), 0, SameLogits);
        Assert.Equal(@case.Base.NodeCount, merged.Graph.Nodes.Count);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Merge_OfTheSameAdapterTwice_IsRefused(string on, string name)
    {
        var @case = trained.Of(on, name);
        if (@case.WhyNotMerged is not null)
            return;
        using var folder = new TemporaryFolder();
        @case.Model.Save(folder.Path);
        var again = PeftModel.Load(@case.Model.Merge(), folder.Path);

        var error = Assert.Throws<ConfigException>(again.Merge);

        Assert.Contains("already", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Disable_GivesTheBase_AndEnableTheAdapter(string on, string name)
    {
        var @case = trained.Of(on, name);
        var model = @case.WithAnother();
        var adapted = model.Model;

        model.Adapters.Disable();

        Assert.Equal(@case.Base.Logits, LogitsOf(model.Model));
        model.Adapters.Enable();
        Assert.Same(adapted, model.Model);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Set_ThereAndBack_AnswersAsBefore(string on, string name)
    {
        var @case = trained.Of(on, name);
        var model = @case.WithAnother();

        model.Adapters.Set("other");

        Assert.True(Difference(@case.Logits, LogitsOf(model.Model)) > SameLogits);
        model.Adapters.Set("default");
        Assert.Equal(@case.Logits, LogitsOf(model.Model));
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Set_BesideAnother_AnswersAsBothMerged_OrSaysWhyNot(string on, string name)
    {
        var @case = trained.Of(on, name);
        var model = @case.WithAnother();

        if (model.Config.WhyNotBesideOthers is { } reason)
        {
            var error = Assert.Throws<ConfigException>(() => model.Adapters.Set("default", "other"));
            Assert.Contains(reason, error.Message, StringComparison.Ordinal);
            return;
        }

        model.Adapters.Set("default", "other");

        var both = LogitsOf(model.Model);
        Assert.True(Difference(@case.Logits, both) > SameLogits);
        if (@case.WhyNotMerged is null)
            Assert.InRange(Difference(both, LogitsOf(model.Merge())), 0, SameLogits);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Load_OnAnotherBase_IsRefused(string on, string name)
    {
        using var folder = new TemporaryFolder();
        var @case = trained.Of(on, name);
        @case.Model.Save(folder.Path);

        Assert.Throws<ConfigException>(() => PeftModel.Load(@case.Base.Other, folder.Path));
    }

    private static string Text(Node node) =>
        $"{node.OpType} {string.Join(' ', node.Inputs.Select(static i => i?.Name))} > {node.Output.Name}";

    private static float[] LogitsOf(Model model) => TrainedBase.LogitsOf(model);

    /// <summary>The largest difference, as a part of the largest number where that is above 1.</summary>
    private static double Difference(float[] expected, float[] actual) => expected.Length == actual.Length
        ? expected.Zip(actual, static (a, b) => Math.Abs((double)a - b)).Max()
            / Math.Max(1, expected.Max(static v => Math.Abs(v)))
        : double.PositiveInfinity;
}
