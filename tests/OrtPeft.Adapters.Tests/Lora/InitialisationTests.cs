using OrtPeft.Adapters.LinearAlgebra;
using OrtPeft.Adapters.Lora;
using OrtPeft.Tensors;
using OrtPeft.Testing;

namespace OrtPeft.Adapters.Tests.Lora;

/// <summary>
/// How A and B start, on GPT-2's [in, out] weights and on their transposed copies in exported graphs.
/// </summary>
public sealed class InitialisationTests
{
    private const string Module = "base_model.model.transformer.h.1.mlp.c_fc";

    private static readonly LoraConfig Config = new() { R = 4, LoraAlpha = 8, TargetModules = ["c_fc", "c_attn"] };

    public static TheoryData<string, string> TakenFromBase => Gpt2.With(["pissa", "pissa_niter_16", "olora"]);

    [Theory]
    [MemberData(nameof(TakenFromBase))]
    public void Create_WhenAPartOfTheBaseTrains_AnswersAsTheBaseAndLeavesItsWeights(string model, string init)
    {
        var peft = PeftModel.Create(Gpt2.Open(model), Config with { InitLoraWeights = init });

        var batch = TrainRun.Batch(0);
        var expected = DecoderLogits.Of(Gpt2.Canonical(model), batch);
        Near.Absolute(expected, DecoderLogits.Of(peft.Model, batch), 1e-5, "logits");
        Assert.Equal(4, peft.Buffers.Count / 2);
        Assert.Contains(peft.GetWeights()[$"{Module}.lora_B.weight"].ToFloat32(), static v => v != 0);
    }

    [Fact]
    public void Create_WhenPissa_TakesTheBestApproximationOfItsRank()
    {
        var weights = Fresh(LoraInit.Pissa);

        var (a, b, w) = (Of(weights[$"{Module}.lora_A.weight"]), Of(weights[$"{Module}.lora_B.weight"]), OutByIn());
        var values = SymmetricEigen.Of(w.Transposed().Gram()).Values.Select(Math.Sqrt).ToArray();
        var product = b.Times(a);
        double left = 0;
        for (var i = 0; i < w.Rows; i++)
            for (var j = 0; j < w.Columns; j++)
                left += Math.Pow(w.Row(i)[j] - (2 * product.Row(i)[j]), 2); // the scale is 2
        Assert.Equal(values.Skip(4).Sum(static v => v * v), left, 1e-4); // Eckart and Young
        for (var k = 0; k < 4; k++)
            Assert.Equal(values[k] / 2, a.Gram().Row(k)[k], 1e-4); // σ is shared by A and B
    }

    [Fact]
    public void Create_WhenOlora_HasOrthonormalColumnsInB()
    {
        var weights = Fresh(LoraInit.Olora);

        var (a, b, w) = (Of(weights[$"{Module}.lora_A.weight"]), Of(weights[$"{Module}.lora_B.weight"]), OutByIn());
        var gram = b.Transposed().Gram();
        var firstColumns = b.Times(a).FirstColumns(4); // Q·R gives the first r columns of W whole
        for (var i = 0; i < 4; i++)
            for (var j = 0; j < 4; j++)
                Assert.Equal(i == j ? 1 : 0, gram.Row(i)[j], 1e-5);
        for (var i = 0; i < w.Rows; i++)
            for (var j = 0; j < 4; j++)
                Assert.Equal(w.Row(i)[j], firstColumns.Row(i)[j], 1e-5);
    }

    /// <summary>
    /// What nobody can derive again stands in the file: random decompositions, and OLoRA of GPT-2's layers, which HF
    /// PEFT decomposes the wrong way round.
    /// </summary>
    [Theory]
    [InlineData("pissa_niter_4", false)]
    [InlineData("pissa_niter_4", true)]
    [InlineData("olora", false)]
    public void Save_OfAStartThatCannotBeFoundAgain_WritesPlainLora(string init, bool dora)
    {
        using var folder = new TemporaryFolder();
        var config = Config with { InitLoraWeights = init, UseDora = dora };
        var peft = PeftModel.Create(Gpt2.Open(Gpt2.Imported), config, seed: 7);
        peft.SetWeights(Halved(peft));

        peft.Save(folder.Path);

        var saved = (LoraConfig)AdapterFolder.LoadConfig(folder.Path);
        Assert.Equal((LoraInit.Kaiming, 2 * Config.R), (saved.InitLoraWeights, saved.R));
        var loaded = PeftModel.Load(Gpt2.Open(Gpt2.Imported), folder.Path);
        var batch = TrainRun.Batch(0);
        Near.Absolute(DecoderLogits.Of(peft.Model, batch), DecoderLogits.Of(loaded.Model, batch), 1e-5, "logits");
    }

    [Fact]
    public void Load_OfABareRandomDecomposition_IsRefused()
    {
        using var folder = new TemporaryFolder();
        var peft = PeftModel.Create(Gpt2.Open(Gpt2.Imported), Config);
        AdapterFolder.Save(folder.Path, Config with { InitLoraWeights = "pissa_niter_4" }, peft.GetWeights());

        var error = Assert.Throws<ConfigException>(() => PeftModel.Load(Gpt2.Open(Gpt2.Imported), folder.Path));

        Assert.Contains("path_initial_model_for_weight_conversion", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("pissa")]
    public void Load_WhenSavedWithAnotherSeed_FindsTheSameRestOfTheBase(string init)
    {
        using var folder = new TemporaryFolder();
        var peft = PeftModel.Create(Gpt2.Open(Gpt2.Imported), Config with { InitLoraWeights = init }, seed: 7);
        peft.SetWeights(Halved(peft));
        peft.Save(folder.Path);

        var loaded = PeftModel.Load(Gpt2.Open(Gpt2.Imported), folder.Path);

        var batch = TrainRun.Batch(0);
        Near.Absolute(DecoderLogits.Of(peft.Model, batch), DecoderLogits.Of(loaded.Model, batch), 1e-6, "logits");
        Assert.DoesNotContain(
            AdapterFolder.LoadWeights(folder.Path).Keys, static k => k.EndsWith(".start", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public void PlainLora_OfAPissaAdapter_IsTheSameFunctionOnTheUnchangedBase(bool rslora, bool dora)
    {
        var config = Config with
        {
            InitLoraWeights = "pissa",
            UseRslora = rslora,
            UseDora = dora,
            RankPattern = [new("c_fc", 2)],
            TargetModules = ["wte", "c_fc", "c_attn"],
        };
        var peft = PeftModel.Create(Gpt2.Open(Gpt2.Imported), config);
        peft.SetWeights(Halved(peft));

        var (plain, weights) = PlainLora.Of(peft);

        var converted = PeftModel.Create(Gpt2.Open(Gpt2.Imported), plain, weights, "plain");
        var batch = TrainRun.Batch(0);
        Near.Absolute(DecoderLogits.Of(peft.Model, batch), DecoderLogits.Of(converted.Model, batch), 1e-5, "logits");
        Assert.Equal((8, LoraInit.Kaiming), (plain.R, plain.InitLoraWeights));
        Assert.Empty(converted.Buffers);
    }

    [Fact]
    public void PlainLora_WhenTheBaseIsWhole_HasNothingToConvert()
    {
        var peft = PeftModel.Create(Gpt2.Open(Gpt2.Imported), Config);

        var error = Assert.Throws<ConfigException>(() => PlainLora.Of(peft));

        Assert.Contains("pissa", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Create_WhenGaussian_HasTheDeviationOneOverR()
    {
        var config = Config with { R = 16, InitLoraWeights = LoraInit.Gaussian, TargetModules = ["mlp.c_proj"] };

        var weights = PeftModel.Create(Gpt2.Open(Gpt2.Imported), config).GetWeights();

        var a = weights["base_model.model.transformer.h.0.mlp.c_proj.lora_A.weight"].ToFloat32();
        Assert.Equal(1 / 16.0, Math.Sqrt(a.Average(static v => (double)v * v)), 0.004); // 2048 numbers: 1.6 % each way
    }

    [Fact]
    public void Create_WhenOrthogonal_HasFactorsWhoseProductIsZero()
    {
        var weights = Fresh(LoraInit.Orthogonal);

        var product = Of(weights[$"{Module}.lora_B.weight"]).Times(Of(weights[$"{Module}.lora_A.weight"]));
        Assert.All(product.ToTensor().ToFloat32(), static v => Assert.InRange(v, -1e-6f, 1e-6f));
        Assert.Contains(weights[$"{Module}.lora_B.weight"].ToFloat32(), static v => Math.Abs(v) > 0.01);
    }

    [Theory]
    [InlineData("orthogonal", 3, "even")]
    [InlineData("pissa", 33, "at most 32")]
    [InlineData("olora", 33, "at most 32")]
    [InlineData("xavier", 4, "gaussian, pissa, pissa_niter_N")]
    [InlineData("pissa_niter_", 4, "pissa_niter_N")]
    [InlineData("pissa_niter_-1", 4, "pissa_niter_N")]
    public void Create_WhenTheStartDoesNotFit_SaysWhatWould(string init, int rank, string part)
    {
        var config = Config with { InitLoraWeights = init, R = rank };

        var error = Assert.Throws<ConfigException>(() => PeftModel.Create(Gpt2.Open(Gpt2.Imported), config));

        Assert.Contains(part, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("pissa", false)]
    [InlineData("true", true)]
    public void Validate_WhenABiasInBGoesWithWhatItCannot_SaysSo(string init, bool dora)
    {
        var config = new LoraConfig { LoraBias = true, InitLoraWeights = init, UseDora = dora };

        Assert.Contains("lora_bias", Assert.Throws<ConfigException>(config.Validate).Message, StringComparison.Ordinal);
    }

    private static IReadOnlyDictionary<string, Tensor> Fresh(LoraInit init) =>
        PeftModel.Create(Gpt2.Open(Gpt2.Imported), Config with { InitLoraWeights = init }).GetWeights();

    private static Dictionary<string, Tensor> Halved(PeftModel peft) => peft.Parameters.ToDictionary(
        static p => p.Name,
        static p => Tensor.Of<float>(
            [.. p.Value.Initializer!.ToFloat32().Select(static (v, i) => v * (i % 2 == 0 ? 0.5f : 1.2f))],
            p.Value.Initializer!.Dims.AsSpan()));

    private static Matrix Of(Tensor tensor) =>
        Matrix.Of((int)tensor.Dims[0], (int)tensor.Dims[1], tensor.ToFloat32());

    private static Matrix OutByIn() =>
        Of(Gpt2.Open(Gpt2.Imported).Graph.Find("transformer.h.1.mlp.c_fc.weight")!.Initializer!).Transposed();
}
