using System.Runtime.CompilerServices;

namespace OrtPeft.Architecture.Tests;

/// <summary>What many places must agree on is written in one of them.</summary>
public sealed class OneHomeTests
{
    /// <summary>Files or folders, and what no other code of the product may spell out.</summary>
    public static TheoryData<string[], string[]> Homes => new()
    {
        {
            ["src/OrtPeft.Onnx/Decoders/DecoderNames.cs"],
            [
                "\"input_ids\"", "\"attention_mask\"", "\"position_ids\"", "\"inputs_embeds\"", "\"past_key_values",
                "\"present\"", "\"present.", "\"present_", "Name == \"labels\"", "Name == \"logits\"",
            ]
        },
        {
            [
                "src/OrtPeft.Onnx/Decoders/DecoderFamilies.cs", "src/OrtPeft.Models/",
                "src/OrtPeft.Onnx/Decoders/BuilderNames.cs", // what GenAI's builder calls them
                "src/OrtPeft.Adapters/Modules/HfName.cs", // what HF PEFT knows whatever the family is
                "src/OrtPeft.Adapters/Modules/DefaultTargets.cs", // what HF PEFT adapts by itself
            ],
            [
                "\"c_attn\"", "mlp.c_proj", "mlp.c_fc", "q_proj", "k_proj", "v_proj", "o_proj", "out_proj", "gate_proj",
                "down_proj", "query_key_value", "dense_4h", "\"fc2\"", "ln_1", "ln_f", "layernorm\"", "wte", "wpe",
                "embed_tokens", "embed_in", "embed_out", ".word_embeddings", "lm_head", "\"h\"",
                "transformer.h", "model.layers",
            ]
        },
        {
            ["src/OrtPeft.Adapters/Modules/HfName.cs"],
            [
                "base_model.model", "\"base_model.", "lora_A.weight", "lora_B.weight", "lora_embedding_A",
                "lora_embedding_B",
            ]
        },
    };

    [Theory]
    [MemberData(nameof(Homes))]
    public void Text_IsWritten_InItsHomeOnly(string[] homes, string[] texts)
    {
        var elsewhere =
            from file in Sources()
            where !homes.Any(home => file.StartsWith(home, StringComparison.Ordinal))
            from line in File.ReadLines(Path.Combine(Root(), file))
            where !line.AsSpan().TrimStart().StartsWith("//")
            from text in texts
            where line.Contains(text, StringComparison.Ordinal)
            select $"{file}: {line.Trim()}";

        Assert.All(homes, static home => Assert.True(Path.Exists(Path.Combine(Root(), home)), home));
        Assert.Empty(elsewhere);
    }

    private static IEnumerable<string> Sources() => ((string[])["src", "tools"])
        .SelectMany(static folder => Directory.GetFiles(
            Path.Combine(Root(), folder), "*.cs", SearchOption.AllDirectories))
        .Select(static file => Path.GetRelativePath(Root(), file).Replace('\\', '/'));

    private static string Root([CallerFilePath] string path = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(path)!, "../.."));
}
