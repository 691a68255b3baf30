using System.Text.Json.Nodes;
using OrtPeft.Adapters.Configuration;
using OrtPeft.Adapters.Lora;
using OrtPeft.Adapters.Modules;
using OrtPeft.Adapters.Tests.Quantization;
using OrtPeft.Adapters.TrainableTokens;
using OrtPeft.Onnx;
using OrtPeft.Tensors;
using OrtPeft.Testing;

namespace OrtPeft.Adapters.Tests.TrainableTokens;

/// <summary>Rows of GPT-2's embedding, to which its head is tied: shared, or copied by an exporter.</summary>
public sealed class TrainableTokensTests
{
    private const string OfLora = "base_model.model.transformer.wte.token_adapter.trainable_tokens_delta";
    private const string Alone = "base_model.model.transformer.wte.trainable_tokens_delta";
    private const string OfHead = "base_model.model.lm_head.trainable_tokens_delta";

    /// <summary>Tokens that the batch has in its inputs and labels, and one that it has nowhere.</summary>
    private static readonly int[] Tokens = [.. TrainRun.Batch(1)["input_ids"].ToInt64().Select(static t => (int)t)
        .Distinct().Take(4).Append(100)];

    private static Dictionary<string, PeftConfig> Configs { get; } = new()
    {
        ["lora"] = new LoraConfig
        {
            R = 2,
            TargetModules = ["c_attn"],
            InitLoraWeights = false,
            TrainableTokenIndices = TokenIndices.Of(Tokens),
        },
        ["alone"] = new TrainableTokensConfig { TokenIndices = Tokens },
    };

    public static TheoryData<string, string> Cases => Gpt2.With(Configs.Keys);

    [Theory]
    [MemberData(nameof(Cases))]
    public void Create_HasHfPeftsNameAndTheBasesRows(string model, string config)
    {
        var peft = PeftModel.Create(Gpt2.Open(model), Configs[config]);

        var parameter = peft.Parameters[^1];
        Assert.Equal(config == "lora" ? OfLora : Alone, parameter.Name);
        Assert.Equal([Tokens.Length, 32], parameter.Value.Initializer!.Dims.AsEnumerable());
        var table = Gpt2.Canonical(model).Graph.Find("transformer.wte.weight")!.Initializer!.ToFloat32();
        Assert.Equal(Tokens.SelectMany(t => table[(32 * t)..(32 * (t + 1))]), parameter.Value.Initializer!.ToFloat32());
    }

    /// <summary>
    /// Float32's gradient g beside float64 differences of the loss along a direction u of length 1: both are g·u, to
    /// float32's 1e-6 of |g| and the line's curvature, 1e-8 for this step.
    /// </summary>
    [Theory]
    [MemberData(nameof(Cases))]
    public void Gradient_IsTheLossesDifference(string model, string config)
    {
        const double Step = 1e-4;
        var (peft, batch) = (Moved(model, config), DecoderLogits.WithPositions(TrainRun.Batch(1)));
        var name = peft.Parameters[^1].Name;
        var gradient = Goldens.Step.Of(peft, batch).Gradients[name].ToFloat32();
        var norm = Math.Sqrt(gradient.Sum(static v => (double)v * v));
        using var exact = new ExactLoss(peft, batch);
        var count = Goldens.Step.SupervisedIn(batch["labels"]);

        foreach (var row in Tokens.Index())
        {
            float[] direction = [.. gradient.Select((_, i) => i / 32 == row.Index ? MathF.Sin(i) / 4 : 0)];
            var slope = gradient.Zip(direction).Sum(static e => (double)e.First * e.Second);

            var difference = (exact.At(name, direction, Step) - exact.At(name, direction, -Step)) / (2 * Step);

            Assert.Equal(slope, difference / count, 1e-5 * norm);
            Assert.NotEqual(0, slope); // a token that is never read still is one that the head could choose
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Merge_PutsTheRowsIntoEmbeddingAndHead(string model, string config)
    {
        var peft = Moved(model, config);

        var merged = peft.Merge();

        var batch = TrainRun.Batch(0);
        Near.Absolute(DecoderLogits.Of(peft.Model, batch), DecoderLogits.Of(merged, batch), 2e-5, "logits");
        var head = ModuleCatalogue.LinearModules(merged.Graph).Single(static m => m.IsOutputLayer);
        var embedding = EmbeddingCatalogue.Embeddings(merged.Graph).Single(static m => m.Name == "transformer.wte");
        Assert.True(head.Weight == embedding.Weight || TiedHead.IsCopy(embedding.Weight, head));
        var (before, after) = (
            Gpt2.Canonical(model).Graph.Find("transformer.wte.weight")!.Initializer!.ToFloat32().Chunk(32),
            embedding.Weight.Initializer!.ToFloat32().Chunk(32));
        var changed = before.Zip(after).Index().Where(static e => !e.Item.First.SequenceEqual(e.Item.Second));
        Assert.Equal(Tokens.Order(), changed.Select(static e => e.Index));
    }

    /// <summary>Equal numbers count where the source does not say that head and embedding are two.</summary>
    [Theory]
    [InlineData(1, null, false)]
    [InlineData(1, "true", false)]
    [InlineData(0, "false", false)]
    [InlineData(0, "true", true)]
    [InlineData(0, null, true)]
    public void Create_TakesTheHeadWhereItIsTied(int difference, string? isTied, bool takesIt)
    {
        var config = new TrainableTokensConfig { TokenIndices = [3] };
        using var folder = new TemporaryFolder();
        var model = WithAHeadOfItsOwn(difference);
        model.Metadata.Remove(MetadataKeys.TieWordEmbeddings);
        if (isTied is not null)
            model.Metadata[MetadataKeys.TieWordEmbeddings] = isTied;

        PeftModel.Create(model, config).Save(folder.Path);

        Assert.Equal(takesIt, AdapterFolder.LoadWeights(folder.Path).ContainsKey(OfHead));
    }

    [Fact]
    public void Save_WhenTheHeadIsTied_WritesItsRowsToo_AsHfPeftDoes()
    {
        using var folder = new TemporaryFolder();
        var peft = Moved(Gpt2.Imported, "alone");

        peft.Save(folder.Path);

        Assert.Equal([OfHead, Alone], AdapterFolder.LoadWeights(folder.Path).Keys.Order());
        var read = PeftModel.Load(Gpt2.Open(Gpt2.Imported), folder.Path);
        Assert.Equal(peft.GetWeights()[Alone].ToFloat32(), read.GetWeights()[Alone].ToFloat32());
    }

    [Fact]
    public void SetWeights_WhenTheHeadsRowsDiffer_IsRefused()
    {
        var peft = Moved(Gpt2.Imported, "alone");
        var rows = peft.GetWeights()[Alone];
        var other = Tensor.Of<float>([.. rows.ToFloat32().Select(static v => v + 1)], rows.Dims.AsSpan());

        var error = Assert.Throws<ConfigException>(
            () => peft.SetWeights(new Dictionary<string, Tensor> { [Alone] = rows, [OfHead] = other }));

        Assert.Contains("differ", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("[5, 7]")]
    [InlineData("""{"wte":[5,7]}""")]
    [InlineData("""{"transformer.wte":[5,7],"lm_head":[5,7]}""")]
    public void FromFields_ReadsBothForms_AndWritesThemBack(string indices)
    {
        var json = JsonNode.Parse($$"""
            {"peft_type":"LORA","r":2,"trainable_token_indices":{{indices}},"ensure_weight_tying":true}
            """)!.AsObject();

        var config = LoraConfig.FromFields(new ConfigFields(json, "config"));
        var peft = PeftModel.Create(Gpt2.Open(Gpt2.Imported), config);

        var written = peft.Config.ToJson()["trainable_token_indices"];
        Assert.True(JsonNode.DeepEquals(json["trainable_token_indices"], written));
        Assert.Empty(peft.Config.UnknownFields);
        var rows = peft.Parameters.Single(static p => p.Name == OfLora).Value.Initializer!;
        Assert.Equal([2L, 32], rows.Dims.AsEnumerable());
    }

    [Theory]
    [InlineData("[101]", "101", "0 to 100")]
    [InlineData("[-1]", "-1", "0 to 100")]
    [InlineData("[3,3]", "3", "twice")]
    [InlineData("[]", "no tokens", "at least one")]
    [InlineData("[0.5]", "0.5", "list of token ids")]
    [InlineData("true", "true", "list of token ids")]
    [InlineData("""{"wtf":[1]}""", "'wtf'", "transformer.wte")]
    [InlineData("""{"wte":[1],"lm_hat":[1]}""", "'lm_hat'", "nor its head")]
    [InlineData("""{"wte":[1],"transformer.wte":[2]}""", "twice", "one list")]
    public void Create_WhenTokensAreWrong_SaysWhat(string indices, params string[] said) =>
        Refuses($$"""{"trainable_token_indices":{{indices}}}""", said);

    [Theory]
    [InlineData("""{"trainable_token_indices":[1],"target_modules":["wte"]}""", "target_modules", "wte")]
    [InlineData("""{"trainable_token_indices":[1],"modules_to_save":["wte"]}""", "modules_to_save", "choose one")]
    public void Create_WhenFieldsExcludeEachOther_SaysWhich(string fields, params string[] said) =>
        Refuses(fields, said);

    [Fact]
    public void Set_BesideAnother_IsRefused()
    {
        var peft = PeftModel.Create(Gpt2.Open(Gpt2.Imported), Configs["lora"]);
        peft.Adapters.Add("other", new LoraConfig());

        var error = Assert.Throws<ConfigException>(() => peft.Adapters.Set("default", "other"));

        Assert.Contains("trainable_token_indices", error.Message, StringComparison.Ordinal);
    }

    private static void Refuses(string fields, string[] said)
    {
        var json = JsonNode.Parse(fields)!.AsObject();

        var error = Assert.Throws<ConfigException>(() => PeftModel.Create(
            Gpt2.Open(Gpt2.Imported), LoraConfig.FromFields(new ConfigFields(json, "config"))));

        Assert.All(said, part => Assert.Contains(part, error.Message, StringComparison.Ordinal));
    }

    /// <summary>The adapter with its rows away from the base's.</summary>
    private static PeftModel Moved(string model, string config)
    {
        var peft = PeftModel.Create(Gpt2.Open(model), Configs[config], seed: 2);
        var weights = peft.GetWeights().ToDictionary();
        var rows = weights[peft.Parameters[^1].Name];
        weights[peft.Parameters[^1].Name] = Tensor.Of<float>(
            [.. rows.ToFloat32().Select(static (v, i) => v + (0.2f * MathF.Cos(i)))], rows.Dims.AsSpan());
        peft.SetWeights(weights);
        return peft;
    }

    /// <summary>The model with a matrix for the head, whose last number differs from the embedding's.</summary>
    private static Model WithAHeadOfItsOwn(int difference)
    {
        var model = Gpt2.Canonical(Gpt2.Imported);
        var head = ModuleCatalogue.LinearModules(model.Graph).Single(static m => m.IsOutputLayer);
        var numbers = head.Weight.Initializer!.ToFloat32();
        numbers[^1] += difference;
        ModuleWeights.Replace(model.Graph, head, Tensor.Of<float>(numbers, head.Weight.Initializer!.Dims.AsSpan()));
        return model;
    }
}
