using OrtPeft.Adapters.BitFit;
using OrtPeft.Adapters.Ia3;
using OrtPeft.Adapters.Lora;
using OrtPeft.Onnx;
using OrtPeft.Tensors;
using OrtPeft.Testing;

namespace OrtPeft.Adapters.Tests.Several;

public sealed class SwitchingTests
{
    private static readonly LoraConfig Random = new() { R = 4, InitLoraWeights = false };

    [Fact]
    public void Create_NamesTheFirstAdapterDefault()
    {
        var model = PeftModel.Create(Gpt2.Open(Gpt2.Imported), Random);

        Assert.Equal(["default"], model.AdapterNames);
        Assert.Equal(["default"], model.ActiveAdapterNames);
        Assert.True(model.IsEnabled);
    }

    [Fact]
    public void AddAdapter_LeavesTheActiveOne()
    {
        var model = PeftModel.Create(Gpt2.Open(Gpt2.Imported), Random);
        var graph = model.Model;

        model.AddAdapter("chat", Random, seed: 7);

        Assert.Same(graph, model.Model);
        Assert.Equal(["default", "chat"], model.AdapterNames);
    }

    [Fact]
    public void SetAdapter_ThereAndBack_GivesTheSameLogitsToTheBit()
    {
        var model = WithTwo();
        var first = Answers.Of(model.Model);

        model.SetAdapter("chat");
        var second = Answers.Of(model.Model);
        model.SetAdapter("default");

        Assert.NotEqual(first, second);
        Assert.Equal(first, Answers.Of(model.Model));
    }

    [Fact]
    public void SetAdapter_AnswersAsTheAdapterAlone()
    {
        var model = WithTwo();

        model.SetAdapter("chat");

        var alone = PeftModel.Create(Gpt2.Open(Gpt2.Imported), Random, seed: 7);
        Assert.Equal(Answers.Of(alone.Model), Answers.Of(model.Model));
    }

    [Fact]
    public void SetAdapter_OfAnotherMethod_ShowsItsConfigurationAndParameters()
    {
        var model = WithTwo();
        model.AddAdapter("vectors", new Ia3Config());

        model.SetAdapter("vectors");

        Assert.IsType<Ia3Config>(model.Config);
        Assert.All(model.Parameters, static p => Assert.Contains("ia3_l", p.Name, StringComparison.Ordinal));
    }

    [Fact]
    public void Adapters_ShareTheBasesWeights()
    {
        var given = Gpt2.Open(Gpt2.Imported);
        var model = WithTwo(given);
        const string Name = "transformer.h.0.mlp.c_fc.weight";
        var data = given.Graph.Find(Name)!.Initializer!.Data;

        model.SetAdapter("chat");
        Assert.Same(data, model.Model.Graph.Find(Name)!.Initializer!.Data);
        model.SetAdapter("default", "chat");

        Assert.Same(data, model.Model.Graph.Find(Name)!.Initializer!.Data);
    }

    [Fact]
    public void SetAdapter_KeepsWhatWasTrained()
    {
        var model = WithTwo();
        var halves = model.GetWeights().ToDictionary(static w => w.Key, static w => Halved(w.Value));
        model.SetWeights(halves);

        model.SetAdapter("chat");
        model.SetAdapter("default");

        Assert.All(model.GetWeights(), w => Assert.Equal(halves[w.Key].ToFloat32(), w.Value.ToFloat32()));
    }

    [Fact]
    public void Disable_GivesTheBase_AndEnableTheAdapter()
    {
        var model = WithTwo();
        var adapted = Answers.Of(model.Model);

        model.Disable();

        Assert.False(model.IsEnabled);
        Assert.Empty(model.Parameters);
        Assert.Equal(Answers.Of(Gpt2.Canonical(Gpt2.Imported)), Answers.Of(model.Model));
        Assert.Equal(Answers.Of(Gpt2.Canonical(Gpt2.Imported)), Answers.Of(model.ForInference()));
        model.Enable();
        Assert.Equal(adapted, Answers.Of(model.Model));
    }

    [Fact]
    public void SetAdapter_WhileDisabled_CountsOnceEnabled()
    {
        var model = WithTwo();
        model.Disable();

        model.SetAdapter("chat");

        Assert.False(model.IsEnabled);
        Assert.Equal(Answers.Of(Gpt2.Canonical(Gpt2.Imported)), Answers.Of(model.Model));
        model.Enable();
        Assert.Equal(["chat"], model.ActiveAdapterNames);
        Assert.Equal(Answers.Of(PeftModel.Create(Gpt2.Open(Gpt2.Imported), Random, 7).Model), Answers.Of(model.Model));
    }

    [Fact]
    public void SetWeightsAndMerge_WhileDisabled_SayWhatToDo()
    {
        var model = WithTwo();
        var weights = model.GetWeights();
        model.Disable();

        var setting = Assert.Throws<ConfigException>(() => model.SetWeights(weights));
        var merging = Assert.Throws<ConfigException>(model.Merge);

        Assert.Contains("Enable()", setting.Message, StringComparison.Ordinal);
        Assert.Contains("Enable()", merging.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("chat", "default")]
    [InlineData("default", "chat")]
    public void DeleteAdapter_WhenItIsActive_ActivatesTheOther(string name, string other)
    {
        var model = WithTwo();
        model.SetAdapter(name);

        model.DeleteAdapter(name);

        Assert.Equal([other], model.AdapterNames);
        Assert.Equal([other], model.ActiveAdapterNames);
    }

    [Fact]
    public void DeleteAdapter_WhenOneOfSeveralIsActive_LeavesTheRest()
    {
        var model = WithTwo();
        var alone = Answers.Of(model.Model);
        model.SetAdapter("default", "chat");

        model.DeleteAdapter("chat");

        Assert.Equal(alone, Answers.Of(model.Model));
    }

    [Fact]
    public void DeleteAdapter_OfTheOnlyOne_IsRefused()
    {
        var model = PeftModel.Create(Gpt2.Open(Gpt2.Imported), Random);

        var error = Assert.Throws<ConfigException>(() => model.DeleteAdapter("default"));

        Assert.Contains("Disable()", error.Message, StringComparison.Ordinal);
    }

    public static TheoryData<Action<PeftModel>> UsesOfAnUnknownName => new(
        static m => m.SetAdapter("chta"),
        static m => m.SetAdapter("default", "chta"),
        static m => m.DeleteAdapter("chta"),
        static m => m.ConfigOf("chta"),
        static m => m.WeightsOf("chta"));

    [Theory]
    [MemberData(nameof(UsesOfAnUnknownName))]
    public void UnknownName_IsRefusedWithTheKnownOnes(Action<PeftModel> use)
    {
        var model = WithTwo();

        var error = Assert.Throws<ConfigException>(() => use(model));

        Assert.Equal("There is no adapter 'chta'; the model has default, chat.", error.Message);
        Assert.Equal(["default"], model.ActiveAdapterNames);
    }

    [Theory]
    [InlineData("")]
    [InlineData("..")]
    [InlineData("a/b")]
    [InlineData("a.b")]
    [InlineData("chat")]
    public void AddAdapter_UnderABadName_IsRefused(string name)
    {
        var model = WithTwo();

        var error = Assert.Throws<ConfigException>(() => model.AddAdapter(name, Random));

        Assert.Contains($"'{name}'", error.Message, StringComparison.Ordinal);
        Assert.Equal(["default", "chat"], model.AdapterNames);
    }

    [Fact]
    public void AddAdapter_WhenItDoesNotFit_AddsNothing()
    {
        var model = WithTwo();
        var weights = model.GetWeights();

        Assert.Throws<ConfigException>(() => model.AddAdapter("small", Random with { R = 2 }, weights));

        Assert.Equal(["default", "chat"], model.AdapterNames);
    }

    [Fact]
    public void SetAdapter_WithoutNamesOrWithOneTwice_IsRefused()
    {
        var model = WithTwo();

        Assert.Throws<ConfigException>(() => model.SetAdapter());
        Assert.Throws<ConfigException>(() => model.SetAdapter("chat", "chat"));
    }

    [Fact]
    public void Save_PutsOtherAdaptersIntoFoldersOfTheirNames()
    {
        using var folder = new TemporaryFolder();
        var model = WithTwo();
        var first = Answers.Of(model.Model);
        model.SetAdapter("chat");

        model.Save(folder.Path);

        var loaded = PeftModel.Load(Gpt2.Open(Gpt2.Imported), folder.Path);
        loaded.LoadAdapter("other", Path.Combine(folder.Path, "chat"));
        Assert.Equal(first, Answers.Of(loaded.Model));
        loaded.SetAdapter("other");
        Assert.Equal(Answers.Of(model.Model), Answers.Of(loaded.Model));
        Assert.Equal(loaded.WeightsOf("default").Keys, loaded.WeightsOf("other").Keys);
    }

    [Fact]
    public void AddAdapter_OfAMethodThatTrainsTheBasesOwn_LeavesTheOthersAlone()
    {
        var model = WithTwo();
        var first = Answers.Of(model.Model);
        model.AddAdapter("biases", new BitFitConfig());
        model.SetAdapter("biases");
        model.SetWeights(model.GetWeights().ToDictionary(static w => w.Key, static w => Halved(w.Value)));

        model.SetAdapter("default");

        Assert.Equal(first, Answers.Of(model.Model));
    }

    private static PeftModel WithTwo(Model? given = null)
    {
        var model = PeftModel.Create(given ?? Gpt2.Open(Gpt2.Imported), Random);
        model.AddAdapter("chat", Random, seed: 7);
        return model;
    }

    private static Tensor Halved(Tensor tensor) =>
        Tensor.Of<float>([.. tensor.ToFloat32().Select(static v => v / 2)], tensor.Dims.AsSpan());
}
