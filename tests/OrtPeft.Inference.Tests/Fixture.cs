using OrtPeft.Onnx;
using OrtPeft.Onnx.Serialization;

namespace OrtPeft.Inference.Tests;

/// <summary>GPT-2 graphs with the same weights: 2 layers, width 32, 101 tokens, 64 positions.</summary>
internal static class Fixture
{
    public const string Past = "hf442_g2l_past_op17";
    public const string OlderPast = "hf442_g2l_past_op14";
    public const string NoPast = "hf442_g2l_nopast_op17";
    public const string StackedPast = "ortstyle_g2l_past_op11";

    /// <summary>Two decoders under one If, which a fed input chooses between.</summary>
    public const string Merged = "hf442_g2l_legacymerged_op13__decoder_model_merged";

    /// <summary>Other weights: 5 layers, 1000 tokens, 512 positions, ONNX Runtime's fused operators.</summary>
    public const string Fused = "genai_tiny_random_gpt2_fused/past";

    public const int Vocabulary = 101;
    public const int Context = 64;

    public static Model Load(string name) =>
        OnnxFile.Load(Path.Combine(AppContext.BaseDirectory, "Fixtures", "graphs", $"{name}.onnx"));
}
