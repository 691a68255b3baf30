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

        Assert.Equal(["default"], model.Adapters.Names);
        Assert.Equal(["default"], model.Adapters.ActiveNames);
        Assert.True(model.Adapters.IsEnabled);
    }

    [Fact]
    public void Add_LeavesTheActiveOne()
    {
        var model = PeftModel.Create(Gpt2.Open(Gpt2.Imported), Random);
        var graph = model.Model;

        model.Adapters.Add("chat", Random, seed: 7);

        Assert.Same(graph, model.Model);
        Assert.Equal(["default", "chat"], model.Adapters.Names);
    }

    [Fact]
    public void Set_ThereAndBack_GivesTheSameLogitsToTheBit()
    {
        var model = WithTwo();
        var first = Answers.Of(model.Model);

        model.Adapters.Set("chat");
        var second = Answers.Of(model.Model);
        model.Adapters.Set("default");

        Assert.NotEqual(first, second);
        Assert.Equal(first, Answers.Of(model.Model));
    }

    [Fact]
    public void Set_AnswersAsTheAdapterAlone()
    {
        var model = WithTwo();

        model.Adapters.Set("chat");

        var alone = PeftModel.Create(Gpt2.Open(Gpt2.Imported), Random, seed: 7);
        Assert.Equal(Answers.Of(alone.Model), Answers.Of(model.Model));
    }

    [Fact]
    public void Set_OfAnotherMethod_ShowsItsConfigurationAndParameters()
    {
        var model = WithTwo();
        model.Adapters.Add("vectors", new Ia3Config());

        model.Adapters.Set("vectors");

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

        model.Adapters.Set("chat");
        Assert.Same(data, model.Model.Graph.Find(Name)!.Initializer!.Data);
        model.Adapters.Set("default", "chat");

        Assert.Same(data, model.Model.Graph.Find(Name)!.Initializer!.Data);
    }

    [Fact]
    public void Set_KeepsWhatWasTrained()
    {
        var model = WithTwo();
        var halves = model.GetWeights().ToDictionary(static w => w.Key, static w => Halved(w.Value));
        model.SetWeights(halves);

        model.Adapters.Set("chat");
        model.Adapters.Set("default");

        Assert.All(model.GetWeights(), w => Assert.Equal(halves[w.Key].ToFloat32(), w.Value.ToFloat32()));
    }

    [Fact]
    public void Disable_GivesTheBase_AndEnableTheAdapter()
    {
        var model = WithTwo();
        var adapted = Answers.Of(model.Model);

        model.Adapters.Disable();

        Assert.False(model.Adapters.IsEnabled);
        Assert.Empty(model.Parameters);
        Assert.Equal(Answers.Of(Gpt2.Canonical(Gpt2.Imported)), Answers.Of(model.Model));
        Assert.Equal(Answers.Of(Gpt2.Canonical(Gpt2.Imported)), Answers.Of(model.ForInference()));
        model.Adapters.Enable();
        Assert.Equal(adapted, Answers.Of(model.Model));
    }

    [Fact]
    public void Set_WhileDisabled_CountsOnceEnabled()
    {
        var model = WithTwo();
        model.Adapters.Disable();

        model.Adapters.Set("chat");

        Assert.False(model.Adapters.IsEnabled);
        Assert.Equal(Answers.Of(Gpt2.Canonical(Gpt2.Imported)), Answers.Of(model.Model));
        model.Adapters.Enable();
        Assert.Equal(["chat"], model.Adapters.ActiveNames);
        Assert.Equal(Answers.Of(PeftModel.Create(Gpt2.Open(Gpt2.Imported), Random, 7).Model), Answers.Of(model.Model));
    }

    [Fact]
    public void SetWeightsAndMerge_WhileDisabled_SayWhatToDo()
    {
        var model = WithTwo();
        var weights = model.GetWeights();
        model.Adapters.Disable();

        var setting = Assert.Throws<ConfigException>(() => model.SetWeights(weights));
        var merging = Assert.Throws<ConfigException>(model.Merge);

        Assert.Contains("Enable()", setting.Message, StringComparison.Ordinal);
        Assert.Contains("Enable()", merging.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("chat", "default")]
    [InlineData("default", "chat")]
    public void Delete_WhenItIsActive_ActivatesTheOther(string name, string other)
    {
        var model = WithTwo();
        model.Adapters.Set(name);

        model.Adapters.Delete(name);

        Assert.Equal([other], model.Adapters.Names);
        Assert.Equal([other], model.Adapters.ActiveNames);
    }

    [Fact]
    public void Delete_WhenOneOfSeveralIsActive_LeavesTheRest()
    {
        var model = WithTwo();
        var alone = Answers.Of(model.Model);
        model.Adapters.Set("default", "chat");

        model.Adapters.Delete("chat");

        Assert.Equal(alone, Answers.Of(model.Model));
    }

    [Fact]
    public void Delete_OfTheOnlyOne_IsRefused()
    {
        var model = PeftModel.Create(Gpt2.Open(Gpt2.Imported), Random);

        var error = Assert.Throws<ConfigException>(() => model.Adapters.Delete("default"));

        Assert.Contains("Disable()", error.Message, StringComparison.Ordinal);
    }

    public static TheoryData<Action<PeftModel>> UsesOfAnUnknownName => new(
        static m => m.Adapters.Set("chta"),
        static m => m.Adapters.Set("default", "chta"),
        static m => m.Adapters.Delete("chta"),
        static m => m.Adapters.ConfigOf("chta"),
        static m => m.Adapters.WeightsOf("chta"));

    [Theory]
    [MemberData(nameof(UsesOfAnUnknownName))]
    public void UnknownName_IsRefusedWithTheKnownOnes(Action<PeftModel> use)
    {
        var model = WithTwo();

        var error = Assert.Throws<ConfigException>(() => use(model));

        Assert.Equal("There is no adapter 'chta'; the model has default, chat.", error.Message);
        Assert.Equal(["default"], model.Adapters.ActiveNames);
    }

    [Theory]
    [InlineData("")]
    [InlineData("..")]
    [InlineData("a/b")]
    [InlineData("a.b")]
    [InlineData("chat")]
    public void Add_UnderABadName_IsRefused(string name)
    {
        var model = WithTwo();

        var error = Assert.Throws<ConfigException>(() => model.Adapters.Add(name, Random));

        Assert.Contains($"'{name}'", error.Message, StringComparison.Ordinal);
        Assert.Equal(["default", "chat"], model.Adapters.Names);
    }

    [Fact]
    public void Add_WhenItDoesNotFit_AddsNothing()
    {
        var model = WithTwo();
        var weights = model.GetWeights();

        Assert.Throws<ConfigException>(() => model.Adapters.Add("small", Random with { R = 2 }, weights));

        Assert.Equal(["default", "chat"], model.Adapters.Names);
    }

    [Fact]
    public void Set_WithoutNamesOrWithOneTwice_IsRefused()
    {
        var model = WithTwo();

        Assert.Throws<ConfigException>(() => model.Adapters.Set());
        Assert.Throws<ConfigException>(() => model.Adapters.Set("chat", "chat"));
    }

    [Fact]
    public void Save_PutsOtherAdaptersIntoFoldersOfTheirNames()
    {
        using var folder = new TemporaryFolder();
        var model = WithTwo();
        var first = Answers.Of(model.Model);
        model.Adapters.Set("chat");

        model.Save(folder.Path);

        var loaded = PeftModel.Load(Gpt2.Open(Gpt2.Imported), folder.Path);
        loaded.Adapters.Load("other", Path.Combine(folder.Path, "chat"));
        Assert.Equal(first, Answers.Of(loaded.Model));
        loaded.Adapters.Set("other");
        Assert.Equal(Answers.Of(model.Model), Answers.Of(loaded.Model));
        Assert.Equal(loaded.Adapters.WeightsOf("default").Keys, loaded.Adapters.WeightsOf("other").Keys);
    }

    [Fact]
    public void Add_OfAMethodThatTrainsTheBasesOwn_LeavesTheOthersAlone()
    {
        var model = WithTwo();
        var first = Answers.Of(model.Model);
        model.Adapters.Add("biases", new BitFitConfig());
        model.Adapters.Set("biases");
        model.SetWeights(model.GetWeights().ToDictionary(static w => w.Key, static w => Halved(w.Value)));

        model.Adapters.Set("default");

        Assert.Equal(first, Answers.Of(model.Model));
    }

    private static PeftModel WithTwo(Model? given = null)
    {
        var model = PeftModel.Create(given ?? Gpt2.Open(Gpt2.Imported), Random);
        model.Adapters.Add("chat", Random, seed: 7);
        return model;
    }

    private static Tensor Halved(Tensor tensor) =>
        Tensor.Of<float>([.. tensor.ToFloat32().Select(static v => v / 2)], tensor.Dims.AsSpan());
}
