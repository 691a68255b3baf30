using OrtPeft.Adapters;
using OrtPeft.Adapters.Artifacts;
using OrtPeft.Adapters.Artifacts.Objectives;
using OrtPeft.Adapters.Lora;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Serialization;
using OrtPeft.Testing;

namespace OrtPeft.Training.Tests.Runs;

/// <summary>Graphs that cannot be trained say which node stands in the way, and what to do.</summary>
public sealed class RefusalTests
{
    [Fact]
    public void Create_OnTwoDecodersUnderAnIf_NamesTheIf()
    {
        var model = OnnxFile.Load(Fixtures.Graph("hf442_g2l_legacymerged_op13__decoder_model_merged.onnx"));

        var error = Assert.Throws<UnsupportedOpException>(() => PeftModel.Create(model, new LoraConfig()));

        Says(error, "If \"", "opset", "use_cache_branch", "decoder_model.onnx");
    }

    [Fact]
    public void ForEvaluation_OnAnEncoderWithoutAHead_SaysThatLogitsAreMissing()
    {
        var model = OnnxFile.Load(Fixtures.Graph("hf442_g2l_nopast_op17.onnx"));
        var hidden = model.Graph.Nodes.Last(static n => n.Is("LayerNormalization")).Output;
        model.Graph.RemoveOutput(model.Graph.Outputs[0]);
        model.Graph.AddOutput(hidden);
        model.Graph.RemoveDeadCode();

        var error = Assert.Throws<GraphException>(() => TrainingGraph.ForEvaluation(model, new CausalLm()));

        Says(error, hidden.Name, "LayerNormalization", "language-model head");
    }

    [Fact]
    public void ForTraining_OnAnUnknownOperator_NamesNodeOpAndOpset()
    {
        var model = OnnxFile.Load(Fixtures.Graph("hf442_g2l_nopast_op17.onnx"));
        var hidden = model.Graph.Nodes.Last(static n => n.Is("LayerNormalization")).Output;
        var uses = hidden.Uses.Select(static u => u.Node).ToArray();
        var odd = model.Graph.AddNode("Mystery", [hidden], ["odd"], domain: "my.ops", name: "/odd", before: uses[0]);
        (odd.Output.Type, odd.Output.Shape) = (ElementType.Float, hidden.Shape);
        model.Graph.ReplaceAllUsesWith(hidden, odd.Output, odd);
        model.Opsets["my.ops"] = 3;
        var peft = PeftModel.Create(model, new LoraConfig { TargetModules = ["c_attn"] });

        var error = Assert.Throws<UnsupportedOpException>(() => TrainingGraph.ForTraining(peft, new CausalLm()));

        Says(error, "my.ops.Mystery \"/odd\"", "opset 3", "choose targets behind it");
    }

    private static void Says(Exception error, params string[] words)
    {
        Assert.DoesNotContain('\n', error.Message);
        Assert.All(words, word => Assert.Contains(word, error.Message, StringComparison.Ordinal));
    }
}
