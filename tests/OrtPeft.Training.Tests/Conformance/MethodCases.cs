using OrtPeft.Adapters.BitFit;
using OrtPeft.Adapters.Bottleneck;
using OrtPeft.Adapters.Full;
using OrtPeft.Adapters.Ia3;
using OrtPeft.Adapters.LnTuning;
using OrtPeft.Adapters.Loha;
using OrtPeft.Adapters.Lokr;
using OrtPeft.Adapters.Lora;
using OrtPeft.Adapters.PrefixTuning;
using OrtPeft.Adapters.PromptTuning;
using OrtPeft.Adapters.PTuning;
using OrtPeft.Adapters.TrainableTokens;
using OrtPeft.Adapters.Vera;

namespace OrtPeft.Training.Tests.Conformance;

/// <summary>The rows of the conformance suite: at least one for each method in the catalogue.</summary>
internal static class MethodCases
{
    private static readonly MethodCase[] Rows =
    [
        new("lora", new LoraConfig { R = 4, TargetModules = "all-linear" }),
        new("lora:rs", new LoraConfig { R = 4, UseRslora = true, Bias = "all", TargetModules = ["c_attn", "mlp.c_fc"] }),
        new("lora:random", new LoraConfig { R = 4, InitLoraWeights = false }) { StartsAsBase = false },
        new("lora:dora", new LoraConfig { R = 4, UseDora = true, TargetModules = "all-linear" }),
        new("lora:gaussian", new LoraConfig { R = 4, InitLoraWeights = "gaussian", UseDora = true }),
        new("lora:pissa", new LoraConfig { R = 4, InitLoraWeights = "pissa", LoraAlpha = 4, TargetModules = ["mlp"] }),
        new("lora:pissa-dora", new LoraConfig { R = 4, InitLoraWeights = "pissa_niter_4", UseDora = true }),
        new("lora:olora", new LoraConfig { R = 4, InitLoraWeights = "olora", LoraAlpha = 2, TargetModules = ["mlp"] }),
        new("lora:orthogonal", new LoraConfig { R = 4, InitLoraWeights = "orthogonal" }),
        new("lora:eva", new LoraConfig { R = 4, InitLoraWeights = "eva", EvaConfig = new EvaConfig { Rho = 1 } }),
        new("lora:embedding", new LoraConfig { R = 4, TargetModules = ["wte", "c_attn"] }),
        new("lora:dora-embedding", new LoraConfig { R = 4, UseDora = true, TargetModules = ["wte", "wpe"] }),
        new("lora:bias", new LoraConfig { R = 4, LoraBias = true, TargetModules = ["c_attn", "mlp.c_fc"] })
        {
            MergesOnlyOn = ["gpt2"],
        },
        new("lora:head", new LoraConfig { R = 4, ModulesToSave = ["lm_head", "ln_f"] }),
        new("lora:tied", new LoraConfig { R = 4, ModulesToSave = ["lm_head"], EnsureWeightTying = true }),
        new("lora:tied-target", new LoraConfig { R = 4, TargetModules = ["lm_head", "c_attn"], EnsureWeightTying = true }),
        new("lora:tokens", new LoraConfig { R = 4, ModulesToSave = ["wte"], LoraDropout = 0.1, UseDora = true }),
        new("lora:parts", new LoraConfig { R = 4, EnableLora = [true, false, true, true], UseRslora = true }),
        new("lora:dora-part", new LoraConfig { R = 2, EnableLora = [false, true], UseDora = true }),
        new("lora:rows", new LoraConfig { UseDora = true, TrainableTokenIndices = TokenIndices.Of(7, 3, 50) }),
        new("ia3", new Ia3Config()),
        new("ia3:saved", new Ia3Config { ModulesToSave = ["mlp.c_fc", "wpe"] }),
        new("ia3:random", new Ia3Config { InitIa3Weights = false }) { StartsAsBase = false },
        new("loha", new LohaConfig { R = 2, TargetModules = "all-linear" }),
        new("loha:saved", new LohaConfig { R = 2, TargetModules = "all-linear", ModulesToSave = ["lm_head", "mlp"] }),
        new("loha:random", new LohaConfig { R = 8, InitWeights = false, RankDropout = 0.1 }) { StartsAsBase = false },
        new("lokr", new LokrConfig { R = 2, TargetModules = "all-linear" }),
        new("lokr:both", new LokrConfig { R = 1, DecomposeBoth = true, InitAsLycoris = true, ModuleDropout = 0.1 }),
        new("lokr:random", new LokrConfig { InitWeights = false, DecomposeFactor = 4 }) { StartsAsBase = false },
        new("vera", new VeraConfig { R = 16, TargetModules = "all-linear" }),
        new("vera:saved", new VeraConfig { R = 16, ModulesToSave = ["lm_head"] }),
        new("vera:random", new VeraConfig { R = 8, InitWeights = false, Bias = "all" }) { StartsAsBase = false },
        new("bottleneck", new BottleneckConfig { ReductionFactor = 4 }) { StartsAsBase = false },
        new(
            "bottleneck:pfeiffer",
            BottleneckPresets.Named("pfeiffer") with { InitWeights = "mam_adapter", Dropout = 0.1 }),
        new("bottleneck:parallel", BottleneckPresets.Named("scaled_parallel") with { MhAdapter = true }),
        new("ln-tuning", new LnTuningConfig()),
        new("ln-tuning:layers", new LnTuningConfig { TargetModules = "all-linear" }),
        new("ln-tuning:head", new LnTuningConfig { ModulesToSave = ["wte", "lm_head"] }),
        new("bitfit", new BitFitConfig())
        {
            RefusedOn = new Dictionary<string, string> { ["llama"] = "no biases" },
        },
        new("trainable-tokens", new TrainableTokensConfig { TokenIndices = [.. Enumerable.Range(0, 40)] }),
        new("trainable-tokens:head", new TrainableTokensConfig
        {
            TokenIndices = [.. Enumerable.Range(0, 40)],
            TargetModules = ["lm_head"],
        }),
        new("trainable-tokens:random", new TrainableTokensConfig { TokenIndices = [59, 7], InitWeights = false })
        {
            StartsAsBase = false,
        },
        new("prompt-tuning", new PromptTuningConfig { NumVirtualTokens = 4 }) { StartsAsBase = false },
        new("prompt-tuning:sampled", new PromptTuningConfig { NumVirtualTokens = 6, PromptTuningInit = "SAMPLE_VOCAB" })
        {
            StartsAsBase = false,
        },
        new("prompt-tuning:text", new PromptTuningConfig
        {
            NumVirtualTokens = 5,
            PromptTuningInit = "TEXT",
            PromptTuningInitText = "no, no",
            InitTokenIds = [7, 3],
        })
        {
            StartsAsBase = false,
        },
        new("p-tuning", new PTuningConfig { NumVirtualTokens = 4 }) { StartsAsBase = false },
        new("p-tuning:lstm", new PTuningConfig
        {
            NumVirtualTokens = 3,
            EncoderReparameterizationType = "LSTM",
            EncoderHiddenSize = 8,
            EncoderDropout = 0.1,
        })
        {
            StartsAsBase = false,
        },
        new("prefix-tuning", new PrefixTuningConfig { NumVirtualTokens = 3 }) { StartsAsBase = false },
        new("prefix-tuning:zero", new PrefixTuningConfig { NumVirtualTokens = 3, InitWeights = "zero" })
        {
            StartsAsBase = false,
        },
        new("prefix-tuning:projected", new PrefixTuningConfig { NumVirtualTokens = 3, PrefixProjection = true })
        {
            StartsAsBase = false,
        },
        new("full", new FullConfig()),
    ];

    /// <summary>Every method on every base that it trains something of; its further rows on the first base and on the others in
    /// turn.</summary>
    public static TheoryData<string, string> OnEachBase => Pairs(isRefused: false);

    /// <summary>Every row on every base that it trains nothing of.</summary>
    public static TheoryData<string, string> Refused => Pairs(isRefused: true);

    public static IReadOnlyList<MethodCase> All => Rows;

    public static MethodCase Named(string name) => Rows.Single(r => r.Name == name);

    private static TheoryData<string, string> Pairs(bool isRefused)
    {
        var pairs = new TheoryData<string, string>();
        foreach (var (number, on) in BaseCases.All.Select(static b => b.Name).Index())
        {
            foreach (var (index, row) in Rows.Index().Where(r => r.Item.RefusedOn.ContainsKey(on) == isRefused))
            {
                if (isRefused || IsFirstOfItsMethod(row) || number == 0 || number == 1 + (index % (BaseCases.All.Count - 1)))
                    pairs.Add(on, row.Name);
            }
        }

        return pairs;
    }

    private static bool IsFirstOfItsMethod(MethodCase row) => Rows.First(r => r.Method == row.Method) == row;
}
