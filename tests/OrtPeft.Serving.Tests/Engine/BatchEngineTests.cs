using OrtPeft.Adapters;
using OrtPeft.Adapters.Loha;
using OrtPeft.Adapters.Lokr;
using OrtPeft.Adapters.Lora;
using OrtPeft.Adapters.Modules;
using OrtPeft.Adapters.Vera;
using OrtPeft.Inference.Generation;
using OrtPeft.Models;
using OrtPeft.Onnx.Serialization;
using OrtPeft.Serving.Engine;
using OrtPeft.Testing;

namespace OrtPeft.Serving.Tests.Engine;

public sealed class BatchEngineTests
{
    private const string Gpt2 = "graphs/hf442_g2l_past_op17.onnx";

    private static readonly string[] OfGpt2 =
    [
        "peft_ckpt/g2l_lora_all_randB", "peft_ckpt/g2l_rslora_cattn", "peft_ckpt/g2l_lora_cattn_randB",
        "peft_ckpt/g2l_lora_all",
    ];

    private static readonly string[] OfLlama = ["genai/llama-adapter-peft", "genai/llama-adapter-peft-patterns"];

    /// <summary>Graph, adapters, and whether rows go together: caches that grow by Concat, in stacks, by
    /// GroupQueryAttention over packed layers, int4; a graph without a cache.</summary>
    public static TheoryData<string, string[], bool> Graphs => new()
    {
        { Gpt2, OfGpt2, true },
        { "graphs/hf442_g2l_past_op14.onnx", OfGpt2, true },
        { "graphs/ortstyle_g2l_past_op11.onnx", OfGpt2, true },
        { "graphs/hf442_g2l_nopast_op17.onnx", OfGpt2, false },
        { "genai/llama-fp32/model.onnx", OfLlama, true },
        { "genai/llama-int4/model.onnx", OfLlama, true },
        { "genai/qwen2-fp32/model.onnx", ["genai/qwen2-adapter-peft", "genai/qwen2-adapter-peft-patterns"], true },
    };

    /// <summary>VeRA, LoHa and LoKr are computed as LoRA of their own ranks.</summary>
    [Fact]
    public async Task Start_WithAdaptersOfLowRankMethods_GivesEachWhatItGivesAlone()
    {
        using var folder = new TemporaryFolder();
        var model = OnnxFile.Load(Path.Combine(Fixtures.Folder, Gpt2));
        PeftConfig[] configs =
        [
            new VeraConfig { R = 3, TargetModules = ["c_attn", "c_fc"], InitWeights = false },
            new LohaConfig { R = 2, TargetModules = ["c_attn", "mlp.c_proj"], InitWeights = false },
            new LokrConfig { R = 1, TargetModules = ["c_attn", "c_fc"], InitWeights = false },
            new LoraConfig { R = 2, TargetModules = ["c_attn"], InitLoraWeights = false },
        ];
        foreach (var (i, config) in configs.Index())
            PeftModel.Create(model, config, seed: i).Save(folder[$"{i}"]);
        using var served = Engines.Open(Gpt2, [.. configs.Select((_, i) => folder[$"{i}"])]);
        var random = new Random(2);
        var asked = Enumerable.Range(0, 15).Select(i => Request(random, i, configs.Length)).ToArray();

        var answers = await Task.WhenAll(asked.Select(a => served.Together(a.Adapter, a.Prompt, a.Options)));

        Assert.All(asked.Zip(answers), a => Assert.Equal(served.Alone(a.First.Adapter, a.First.Prompt, a.First.Options), a.Second));
    }

    [Theory]
    [MemberData(nameof(Graphs))]
    public async Task Start_ManyAtOnce_GiveEachWhatItGivesAlone(string graph, string[] adapters, bool together)
    {
        using var served = Engines.Open(graph, adapters, new ServingOptions { MaxBatch = 7 });
        var random = new Random(5);
        var asked = Enumerable.Range(0, 24).Select(i => Request(random, i, adapters.Length)).ToArray();

        var answers = await Task.WhenAll(asked.Select(async (request, i) =>
        {
            await Task.Delay(i % 8 * 5);
            using var source = new CancellationTokenSource();
            if (i % 6 == 5)
                source.CancelAfter(20);
            try
            {
                return await served.Together(request.Adapter, request.Prompt, request.Options, source.Token);
            }
            catch (OperationCanceledException)
            {
                return null;
            }
        }));

        Assert.Equal(together, served.Engine.WhyAlone is null);
        foreach (var (request, answer) in asked.Zip(answers).Where(static p => p.Second is not null))
            Assert.Equal(served.Alone(request.Adapter, request.Prompt, request.Options), answer);
        Assert.True(answers.Count(static a => a is not null) >= 20);
        Assert.True(answers.Where(static a => a is not null).Distinct(new Sequences()).Count() > 12);
        Assert.Equal((0, 0), (served.Engine.Counts.Running, served.Engine.Counts.Waiting));
        Assert.All(served.Adapters, static a => Assert.Equal(0, a.Users));
    }

    [Fact]
    public async Task Add_WhileOthersRun_GivesASlotThatIsFreeAgainAfterRemove()
    {
        using var served = Engines.Open(Gpt2, OfGpt2[2..3], new ServingOptions { AllowsLoading = true });
        var options = new GenerationOptions { MaxNewTokens = 30 };
        int[] prompt = [4, 8, 15];
        var running = served.Together(1, prompt, options);

        var added = await served.Engine.Add(served.Slots.FactorsOf(c => Engines.Read(c, OfGpt2[0])));
        var ofAdded = served.Engine.Start(added, prompt, options, null, default);
        served.Engine.Remove(added);
        var next = await served.Engine.Add(served.Slots.FactorsOf(c => Engines.Read(c, OfGpt2[1])));
        var ofNext = await Engines.Read(served.Engine.Start(next, prompt, options, null, default));
        var first = await Engines.Read(ofAdded);
        served.Engine.Remove(next);
        var last = await served.Engine.Add(served.Slots.FactorsOf(c => Engines.Read(c, OfGpt2[0])));

        using var all = served.GeneratorOf(OfGpt2[0]);
        using var rslora = served.GeneratorOf(OfGpt2[1]);
        Assert.Equal(served.Alone(1, prompt, options), await running);
        Assert.Equal(all.Generate(prompt, options), first);
        Assert.Equal(rslora.Generate(prompt, options), ofNext);
        Assert.Equal(served.Alone(0, prompt, options), await served.Together(0, prompt, options));
        Assert.Equal(all.Generate(prompt, options), await Engines.Read(served.Engine.Start(last, prompt, options, null, default)));
        Assert.InRange(last.Index, 2, 3);
    }

    [Fact]
    public async Task Start_WithLimits_EndsForTheirReason()
    {
        using var served = Engines.Open(Gpt2, []);
        int[] prompt = [1, 2, 3];
        var greedy = await served.Together(0, prompt, new GenerationOptions { MaxNewTokens = 6 });

        var length = served.Engine.Start(served.Engine.Base, prompt, new GenerationOptions { MaxNewTokens = 2 }, 3, default);
        var context = served.Engine.Start(
            served.Engine.Base, prompt, new GenerationOptions { ContextLength = 5 }, null, default);
        var end = served.Engine.Start(
            served.Engine.Base, prompt, new GenerationOptions { StopTokenIds = [greedy[^1]] }, null, default);

        Assert.Equal(greedy[..2], await Engines.Read(length));
        Assert.Equal(greedy[..3], await Engines.Read(context));
        Assert.Equal(greedy[..Array.IndexOf(greedy, greedy[^1])], await Engines.Read(end));
        Assert.Equal(FinishReason.Length, length.FinishReason);
        Assert.Equal(FinishReason.Context, context.FinishReason);
        Assert.Equal(FinishReason.EndOfText, end.FinishReason);
    }

    [Fact]
    public async Task Start_WhenTheQueueIsFull_IsRefusedUntilSomeAreThrough()
    {
        using var served = Engines.Open(Gpt2, [], new ServingOptions { MaxBatch = 1, MaxQueue = 1 });
        using var source = new CancellationTokenSource();
        var options = new GenerationOptions { MaxNewTokens = 40 };
        var refused = 0;
        var started = new List<Task<int[]>>();
        for (var i = 0; i < 100; i++)
        {
            try
            {
                started.Add(Engines.Read(served.Engine.Start(served.Engine.Base, [i % 90], options, null, source.Token)));
            }
            catch (QueueFullException)
            {
                refused++;
            }
        }

        await source.CancelAsync();
        var ends = await Task.WhenAll(started.Select(static t => Record.ExceptionAsync(() => t)));

        Assert.All(ends, static e => Assert.True(e is null or OperationCanceledException));
        Assert.True(refused > 0);
        Assert.Equal(40, (await served.Together(0, [7], options)).Length);
    }

    [Fact]
    public async Task Start_WithLittleCacheMemory_ComputesOneAtATime()
    {
        using var served = Engines.Open(Gpt2, OfGpt2, new ServingOptions { CacheMemory = 1 });
        var options = new GenerationOptions { MaxNewTokens = 10 };

        var answers = await Task.WhenAll(Enumerable.Range(0, 4).Select(i => served.Together(i, [i, 9], options)));

        Assert.Equal(Enumerable.Range(0, 4).Select(i => served.Alone(i, [i, 9], options)), answers);
        Assert.Equal(served.Engine.Counts.Steps, served.Engine.Counts.Rows);
    }

    [Theory]
    [InlineData("peft_ckpt/g2l_dora_all")]
    [InlineData("peft_ckpt/g2l_prompt")]
    [InlineData("peft_ckpt/g2l_ia3")]
    [InlineData("peft_ckpt/g2l_lora_cattn_biaslora")]
    public void Open_WithAnAdapterThatIsMoreThanAProduct_IsRefused(string adapter)
    {
        var e = Assert.Throws<ConfigException>(() => Engines.Open(Gpt2, [adapter]));

        Assert.Contains("merge", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Start_BeyondTheModelsPositions_FailsAlone()
    {
        using var served = Engines.Open(Gpt2, OfGpt2);
        int[] longest = [.. Enumerable.Repeat(5, 60)];
        var options = new GenerationOptions { MaxNewTokens = 30 };

        var beyond = served.Together(1, longest, options);
        var others = await Task.WhenAll(Enumerable.Range(0, 5).Select(i => served.Together(i, [i, 7], options)));

        await Assert.ThrowsAnyAsync<Exception>(() => beyond);
        Assert.Equal(Enumerable.Range(0, 5).Select(i => served.Alone(i, [i, 7], options)), others);
    }

    /// <summary>Every family, with a slot at each layer. longrope encodes positions by the longest row.</summary>
    [Theory]
    [InlineData("gemma2", true)]
    [InlineData("gemma3", true)]
    [InlineData("gpt2", true)]
    [InlineData("gpt_neox", true)]
    [InlineData("granite", true)]
    [InlineData("llama", true)]
    [InlineData("llama_longrope", false)]
    [InlineData("llama_yarn_attention_factor", true)]
    [InlineData("mistral", true)]
    [InlineData("mixtral", true)]
    [InlineData("olmo2", true)]
    [InlineData("opt", true)]
    [InlineData("phi", true)]
    [InlineData("phi3", true)]
    [InlineData("qwen2", true)]
    [InlineData("qwen2_layer_types", true)]
    [InlineData("qwen3", true)]
    [InlineData("qwen3_moe", true)]
    [InlineData("smollm3", true)]
    public async Task Families_RunTogether_AndGiveEachWhatItGivesAlone(string family, bool together)
    {
        var model = ModelSource.Open(Path.Combine(Fixtures.Folder, "families", family)).Model;
        var config = new LoraConfig { R = 3, LoraAlpha = 30, InitLoraWeights = false, TargetModules = TargetsOf(family) };
        var (engine, adapters) = TrialEngine.Open(model, config, 2, new ServingOptions { Runtime = Engines.OneThread });
        using var engineOwned = engine;
        var options = new GenerationOptions { MaxNewTokens = 12 };

        var answers = await Task.WhenAll(Enumerable.Range(0, 6).Select(i => Engines.Read(engine.Start(
            i % 3 == 0 ? engine.Base : adapters[(i % 3) - 1], Prompt(i), options, null, default))));

        Assert.Equal(together, engine.WhyAlone is null);
        for (var i = 0; i < answers.Length; i++)
        {
            using var alone = Generator.Open(
                i % 3 == 0 ? model : PeftModel.Create(model, config, seed: (i % 3) - 1).ForInference(), Engines.OneThread);
            Assert.Equal(alone.Generate(Prompt(i), options), answers[i]);
        }

        // Experts' weights have three axes, and no slot.
        static ModuleTargets TargetsOf(string family) =>
            family is "mixtral" or "qwen3_moe" ? ModuleTargets.Listed("q_proj", "v_proj") : "all-linear";

        static int[] Prompt(int i) => [.. Enumerable.Range(3, 2 + (3 * i)).Select(t => t * (i + 1) % 25)];
    }

    [Fact]
    public async Task Dispose_WhileRequestsRun_EndsThem()
    {
        var served = Engines.Open(Gpt2, []);
        var running = Enumerable.Range(0, 40)
            .Select(i => served.Together(0, [i], new GenerationOptions { MaxNewTokens = 60 })).ToArray();

        served.Dispose();

        await Assert.ThrowsAsync<ObjectDisposedException>(() => running[^1]);
        Assert.Throws<ObjectDisposedException>(() => { served.Engine.Start(served.Engine.Base, [1], new(), null, default); });
    }

    private static (int Adapter, int[] Prompt, GenerationOptions Options) Request(Random random, int i, int adapters)
    {
        int[] prompt = [.. Enumerable.Range(0, random.Next(1, 12)).Select(_ => random.Next(3, 90))];
        var options = new GenerationOptions { MaxNewTokens = random.Next(1, 30), ContextLength = 60 };
        return (random.Next(adapters + 1), prompt, i % 2 == 0 ? options : options with
        {
            Temperature = 0.9,
            TopP = 0.95,
            Seed = i,
            PresencePenalty = i % 4 == 1 ? 0.5 : 0,
            FrequencyPenalty = i % 4 == 1 ? 0.25 : 0,
        });
    }

    private sealed class Sequences : IEqualityComparer<int[]?>
    {
        public bool Equals(int[]? x, int[]? y) => x!.SequenceEqual(y!);

        public int GetHashCode(int[]? obj) => obj!.Length;
    }
}
