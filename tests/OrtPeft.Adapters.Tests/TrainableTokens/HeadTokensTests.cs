using OrtPeft.Adapters.Lora;
using OrtPeft.Adapters.TrainableTokens;
using OrtPeft.Onnx;
using OrtPeft.Tensors;
using OrtPeft.Testing;

namespace OrtPeft.Adapters.Tests.TrainableTokens;

/// <summary>
/// Rows of a head that train apart from the embedding's: an untied head, or tied ones with other tokens. What they must
/// compute is what whole modules with these rows do (<c>modules_to_save</c>).
/// </summary>
public sealed class HeadTokensTests
{
    private static readonly int[] Tokens = [20, 3, 11];

    private static readonly Dictionary<string, (Func<Model> Open, string Embedding)> Bases = new()
    {
        ["untied, transposed, nameless"] = (LlamaLike.Build, "model.embed_tokens"),
        ["tied"] = (static () => Gpt2.Open(Gpt2.Imported), "transformer.wte"),
        ["tied through a Transpose"] = (static () => Gpt2.Open(Gpt2.Op13), "transformer.wte"),
        ["tied as a copy"] = (static () => Gpt2.Open("hf442_g2l_nopast_op13_nopp"), "transformer.wte"),
    };

    public static TheoryData<string> Names => [.. Bases.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void Create_OfTheHeadAlone_ChangesItsRowsAlone(string name)
    {
        var (open, _) = Bases[name];
        var peft = Moved(PeftModel.Create(open(), With(("lm_head", Tokens))));

        var rows = peft.Parameters.Single(static p => p.Name == "base_model.model.lm_head.token_adapter.trainable_tokens_delta");
        Compare(open, peft, new() { ["lm_head"] = (Tokens, rows.Value.Initializer!) });
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Create_OfBothWithOtherTokens_ChangesEachApart(string name)
    {
        var (open, embedding) = Bases[name];
        int[] others = [5, 20];

        var peft = Moved(PeftModel.Create(open(), With(("lm_head", Tokens), (embedding.Split('.')[^1], others))));

        var weights = peft.GetWeights();
        Compare(open, peft, new()
        {
            ["lm_head"] = (Tokens, weights["base_model.model.lm_head.token_adapter.trainable_tokens_delta"]),
            [embedding] = (others, weights[$"base_model.model.{embedding}.token_adapter.trainable_tokens_delta"]),
        });
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Create_AsAMethodOfItsOwn_IsTheSame(string name)
    {
        var (open, _) = Bases[name];
        var config = new TrainableTokensConfig { TokenIndices = Tokens, TargetModules = ["lm_head"] };

        var peft = Moved(PeftModel.Create(open(), config));

        Assert.Equal(["base_model.model.lm_head.trainable_tokens_delta"], peft.Parameters.Select(static p => p.Name));
        Compare(open, peft, new() { ["lm_head"] = (Tokens, peft.Parameters[0].Value.Initializer!) });
    }

    [Fact]
    public void Save_ReadsBack()
    {
        using var folder = new TemporaryFolder();
        var peft = Moved(PeftModel.Create(LlamaLike.Build(), With(("lm_head", Tokens), ("embed_tokens", Tokens))));

        peft.Save(folder.Path);

        Assert.Equal(Answer(peft.Model), Answer(PeftModel.Load(LlamaLike.Build(), folder.Path).Model));
    }

    [Theory]
    [InlineData("q_proj", "neither an embedding of the model nor its head")]
    [InlineData("lm_head", "has token 29; lm_head has the rows 0 to 28")]
    public void Create_WhenThereIsNoSuchRow_SaysSo(string module, string part)
    {
        var error = Assert.Throws<ConfigException>(
            () => PeftModel.Create(LlamaLike.Build(), With((module, [1, 29]))));

        Assert.Contains(part, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Create_WhenLoraAdaptsTheHeadToo_SaysSo()
    {
        var config = With(("lm_head", Tokens)) with { TargetModules = ["lm_head"] };

        var error = Assert.Throws<ConfigException>(() => PeftModel.Create(LlamaLike.Build(), config));

        Assert.Contains("has lm_head, which target_modules adapts too", error.Message, StringComparison.Ordinal);
    }

    private static void Compare(
        Func<Model> open, PeftModel peft, Dictionary<string, (int[] Tokens, Tensor Rows)> changes)
    {
        var whole = PeftModel.Create(open(), new LoraConfig { R = 1, ModulesToSave = [.. changes.Keys] });
        var weights = whole.GetWeights().ToDictionary(StringComparer.Ordinal);
        foreach (var (module, (tokens, rows)) in changes)
            weights[$"base_model.model.{module}.weight"] = Put(weights[$"base_model.model.{module}.weight"], tokens, rows);
        whole.SetWeights(weights);

        // The same products of the same numbers, whose sums may run in another order.
        var expected = Answer(whole.Model);
        Near.Relative(expected, Answer(peft.Model), 1e-6, "logits");
        Near.Relative(expected, Answer(peft.Merge()), 1e-6, "merged");
        Assert.NotEqual(Answer(open()), Answer(peft.Model));
    }

    private static LoraConfig With(params (string Module, int[] Tokens)[] entries) => new()
    {
        R = 1,
        TrainableTokenIndices = TokenIndices.OfModules(
            entries.Select(static e => KeyValuePair.Create(e.Module, (IReadOnlyList<int>)e.Tokens))),
    };

    private static Tensor Put(Tensor matrix, int[] tokens, Tensor rows)
    {
        var (values, width) = (matrix.ToFloat32(), (int)matrix.Dims[1]);
        for (var i = 0; i < tokens.Length; i++)
            rows.ToFloat32().AsSpan(i * width, width).CopyTo(values.AsSpan(tokens[i] * width));
        return Tensor.Of<float>(values, matrix.Dims.AsSpan());
    }

    /// <summary>Other rows; LoRA's zero B stays.</summary>
    private static PeftModel Moved(PeftModel peft)
    {
        peft.SetWeights(peft.GetWeights().ToDictionary(static w => w.Key, static w =>
            w.Key.EndsWith("delta", StringComparison.Ordinal)
                ? Tensor.Of<float>([.. w.Value.ToFloat32().Select(static (v, i) => v + (0.3f * (i % 5)))], w.Value.Dims.AsSpan())
                : w.Value));
        return peft;
    }

    private static float[] Answer(Model model)
    {
        var batch = new Dictionary<string, Tensor>
        {
            ["input_ids"] = Tensor.Of<long>([1, 5, 20, 3, 11, 7, 0, 9], [2, 4]),
            ["attention_mask"] = Tensor.Of<long>([1, 1, 1, 1, 1, 1, 1, 1], [2, 4]),
        };
        return DecoderLogits.Of(model, DecoderLogits.WithPositions(batch)).ToFloat32();
    }
}
