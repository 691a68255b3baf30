using OrtPeft.Models;
using OrtPeft.Models.Initialization;
using OrtPeft.Models.Llama;
using OrtPeft.Onnx;
using OrtPeft.Training.Tests.Runs;

namespace OrtPeft.Training.Tests.Conformance;

/// <summary>The bases of the conformance suite: a row for each family of models.</summary>
internal static class BaseCases
{
    private static readonly Dictionary<string, string[]> LlamaNames = new()
    {
        ["c_attn"] = ["q_proj", "v_proj"],
        ["mlp.c_fc"] = ["up_proj"],
        ["wte"] = ["embed_tokens"],
        ["wpe"] = [], // positions are rotations
        ["ln_f"] = ["norm"],
    };

    private static readonly BaseCase[] Rows =
    [
        new("gpt2", static () => Tiny.Base, static () => Tiny.OtherBase),
        new("llama", static () => Small("tiny-llama", 32), static () => Small("tiny-llama", 48))
        {
            Names = LlamaNames, // heads that share keys, a head of its own, no biases
        },
        new("qwen2", static () => Small("tiny-qwen2", 32), static () => Small("tiny-qwen2", 48))
        {
            Names = LlamaNames, // heads that share keys, a tied head, biases of q, k and v
        },
    ];

    public static IReadOnlyList<BaseCase> All => Rows;

    public static BaseCase Named(string name) => Rows.Single(r => r.Name == name);

    /// <summary>A preset cut down to two layers that know the tokens of GPT-2's rows.</summary>
    private static Model Small(string preset, int width)
    {
        var config = (LlamaConfig)ModelPresets.Find(preset) with
        {
            VocabSize = 101,
            Positions = 64,
            HiddenSize = width,
            IntermediateSize = width + 16,
            Layers = 2,
            InitializerRange = 0.2f, // of so few features, the usual 0.02 would make answers next to zero
        };
        return config.ToArchitecture().Build(ModelInitializer.CreateWeights(config, 3));
    }
}
