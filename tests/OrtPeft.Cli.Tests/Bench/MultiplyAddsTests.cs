using OrtPeft.Cli.Bench;
using OrtPeft.Compilation.Graphs;
using OrtPeft.Compilation.Objectives;
using OrtPeft.Training.Tests.Runs;

namespace OrtPeft.Cli.Tests.Bench;

public sealed class MultiplyAddsTests
{
    /// <summary>
    /// Counted by hand for GPT-2 of width E, h heads and LoRA of rank r on c_attn: forward once, backward to the
    /// activations once, attention's products backward twice, nothing below the lowest adapter, and behind the last
    /// attention supervised tokens only.
    /// </summary>
    [Fact]
    public void Count_OfLoraOnGpt2_IsThatOfItsProducts()
    {
        const long E = 32, V = 101, R = 4, B = 3, S = 11, Layers = 2, Supervised = 20;
        const long Tokens = B * S;
        const long Linear = Tokens * 12 * E * E; // c_attn, c_proj, c_fc and mlp.c_proj
        const long Attention = 2 * B * S * S * E; // scores, and their product with the values
        const long Lora = Tokens * R * 4 * E;
        const long Lowest = Tokens * ((3 * E * E) + (R * E)); // what the lowest adapter's input would take
        const long Last = (Tokens - Supervised) * 9 * E * E; // behind the last attention: c_proj, c_fc and mlp.c_proj
        const long Head = Supervised * E * V;
        const long All = Layers * ((2 * Linear) + (3 * Attention) + (3 * Lora));
        const long Expected = All - Lowest - (2 * Last) + (2 * Head);
        var graph = TrainingGraph.Build(Tiny.Lora(), new CausalLm()).Model;

        var count = MultiplyAdds.Count(graph, B, S, Supervised);

        Assert.Equal(Expected, count);
    }
}
