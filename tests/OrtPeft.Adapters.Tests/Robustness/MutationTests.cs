using System.Globalization;
using OrtPeft.Adapters.Full;
using OrtPeft.Adapters.Lora;
using OrtPeft.Compilation.Graphs;
using OrtPeft.Compilation.Objectives;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Serialization;
using OrtPeft.Tensors;
using OrtPeft.Testing;

namespace OrtPeft.Adapters.Tests.Robustness;

/// <summary>
/// Whatever is wrong with a graph, the way from file to training graph ends in success or in an error of OrtPeft's own,
/// which names the place.
/// </summary>
public sealed class MutationTests
{
    [Theory]
    [InlineData("hf442_g2l_static3x11_op13.onnx", 1, 32)]
    [InlineData("nanogpt_g2l_op13.onnx", 2, 24)]
    [InlineData("ortopt_extended_hf442_g2l_nopast_op13.onnx", 3, 20)]
    [InlineData("genai_tiny_random_gpt2_fused/past.onnx", 4, 20)]
    [InlineData("hf442_g2l_withloss_op14.onnx", 5, 12)]
    [InlineData("ortstyle_g2l_past_op11.onnx", 6, 12)]
    [InlineData("hf442_g2l_legacymerged_op13__decoder_model_merged.onnx", 7, 12)]
    public void Training_OnAMutatedGraph_SucceedsOrSaysWhy(string graph, int seed, int count)
    {
        var original = OnnxFile.Load(Fixtures.Graph(graph));
        var outcomes = new List<string>();

        for (var i = 0; i < count; i++)
            outcomes.Add(Outcome(original.Clone(), new Random((1000 * seed) + i), $"{graph}, seed {seed}, {i}"));

        Assert.Contains("trains", outcomes);
        Assert.Contains(outcomes, static o => o != "trains");
    }

    private static string Outcome(Model model, Random random, string place)
    {
        var done = new List<string>();
        try
        {
            for (var i = random.Next(3); i >= 0; i--)
                done.Add(Mutation.Apply(model.Graph, random));
            Train(OnnxFile.Load(OnnxFile.ToBytes(model)), random.Next(4) == 0);
            return "trains";
        }
        catch (Exception e) when (
            e is OnnxFormatException or GraphException or UnsupportedOpException or ConfigException)
        {
            Assert.DoesNotContain('\n', e.Message);
            return e.GetType().Name;
        }
        catch (Exception e)
        {
            Assert.Fail(string.Create(CultureInfo.InvariantCulture, $"{place}: {string.Join("; ", done)}: {e}"));
            throw;
        }
    }

    private static void Train(Model model, bool full)
    {
        GraphValidator.Check(model.Graph);
        PeftConfig config = full ? new FullConfig() : new LoraConfig { R = 2, TargetModules = "all-linear" };
        var peft = PeftModel.Create(model, config);
        GradientGaps.Of(peft);
        GraphValidator.Check(TrainingGraph.Build(peft, new CausalLm()).Graph);
    }
}
