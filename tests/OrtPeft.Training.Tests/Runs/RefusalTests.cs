using OrtPeft.Adapters;
using OrtPeft.Adapters.Lora;
using OrtPeft.Compilation.Graphs;
using OrtPeft.Compilation.Objectives;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Serialization;
using OrtPeft.Tensors;
using OrtPeft.Testing;

namespace OrtPeft.Training.Tests.Runs;

/// <summary>Graphs that cannot be trained say which node stands in the way, and what to do.</summary>
public sealed class RefusalTests
{
    [Fact]
    public void Create_OnTwoDecodersThatDataChooseBetween_NamesTheIf()
    {
        var model = OnnxFile.Load(Fixtures.Graph("hf442_g2l_legacymerged_op13__decoder_model_merged.onnx"));
        model.Graph.Rename(model.Graph.Find("use_cache_branch")!, "flag");

        var error = Assert.Throws<UnsupportedOpException>(() => PeftModel.Create(model, new LoraConfig()));

        Says(error, "If \"optimum::if\"", "opset 21", "by 'flag'", "export the model without it");
    }

    [Fact]
    public void ForTraining_WithAnIfOnDataOnThePath_NamesIt()
    {
        var model = OnnxFile.Load(Fixtures.Graph("hf442_g2l_nopast_op17.onnx"));
        ChooseOnData(model, model.Graph.Nodes.Last(static n => n.Is("LayerNormalization")).Output);
        var peft = PeftModel.Create(model, new LoraConfig { TargetModules = ["c_attn"] });

        var error = Assert.Throws<UnsupportedOpException>(() => TrainingGraph.Build(peft, new CausalLm()).Model);

        Says(error, "If \"/choice\"", "opset 21", "no gradient", "export the model without it");
    }

    [Fact]
    public void Run_WithAnIfOnDataBesideThePath_TrainsAsWithoutIt()
    {
        var plain = OnnxFile.Load(Fixtures.Graph("hf442_g2l_nopast_op17.onnx"));
        var choosing = plain.Clone();
        ChooseOnData(choosing, choosing.Graph.Find("attention_mask")!);

        var losses = Losses(choosing);

        Assert.Equal(Losses(plain), losses);
        Assert.Equal(3, losses.Length);
    }

    private static double[] Losses(Model model)
    {
        var peft = PeftModel.Create(model, new LoraConfig { TargetModules = ["c_attn"] });
        return [.. Tiny.Run(peft, Tiny.Arguments with { MaxSteps = 3 }).Select(static s => s.Loss)];
    }

    /// <summary>Puts the choice between a value and its copy, by the number of tokens, in the value's place.</summary>
    private static void ChooseOnData(Model model, Value value)
    {
        var graph = model.Graph;
        var first = value.Uses.Select(static u => u.Node).ToArray();
        var before = graph.Nodes.First(first.Contains);
        var mask = graph.Find("attention_mask")!;
        var zero = graph.AddInitializer("zero", Tensor.Scalar(0L));
        NodeAttribute[] total = [NodeAttribute.Of("keepdims", 0L)];
        var sum = graph.AddNode("ReduceSum", [mask], ["sum"], total, before: before);
        var flag = graph.AddNode("Greater", [sum.Output, zero], ["flag"], before: before);
        NodeAttribute[] branches = [Branch("then_branch", "Identity"), Branch("else_branch", "Neg")];
        var choice = graph.AddNode("If", [flag.Output], ["chosen"], branches, name: "/choice", before: before);
        graph.ReplaceAllUsesWith(value, choice.Output, [sum, .. choice.Subgraphs.SelectMany(static g => g.Nodes)]);

        NodeAttribute Branch(string name, string op)
        {
            var branch = new Graph(name, graph);
            branch.AddOutput(branch.AddNode(op, [value], [$"{op}_of_value"]).Output);
            return NodeAttribute.Of(name, branch);
        }
    }

    [Fact]
    public void ForEvaluation_OnAnEncoderWithoutAHead_SaysThatLogitsAreMissing()
    {
        var model = OnnxFile.Load(Fixtures.Graph("hf442_g2l_nopast_op17.onnx"));
        var hidden = model.Graph.Nodes.Last(static n => n.Is("LayerNormalization")).Output;
        model.Graph.RemoveOutput(model.Graph.Outputs[0]);
        model.Graph.AddOutput(hidden);
        model.Graph.RemoveDeadCode();

        var error = Assert.Throws<GraphException>(() => EvaluationGraph.Build(model, new CausalLm()).Model);

        Says(error, hidden.Name, "LayerNormalization", "language-model head");
    }

    /// <summary>The loss of probabilities in the place of logits is another number, and a flat one.</summary>
    [Fact]
    public void ForEvaluation_OnProbabilities_SaysWhatMakesThem()
    {
        var model = OnnxFile.Load(Fixtures.Graph("hf442_g2l_nopast_op17.onnx"));
        var logits = model.Graph.Find("logits")!;
        var softmax = model.Graph.AddNode("Softmax", [logits], ["probabilities"], name: "/softmax");
        (softmax.Output.Type, softmax.Output.Shape) = (logits.Type, logits.Shape);
        model.Graph.RemoveOutput(logits);
        model.Graph.AddOutput(softmax.Output);

        var error = Assert.Throws<GraphException>(
            () => EvaluationGraph.Build(BaseModel.Of(model).Canonical, new CausalLm()).Model);

        Says(error, "probabilities", "/softmax", "without it");
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

        var error = Assert.Throws<UnsupportedOpException>(() => TrainingGraph.Build(peft, new CausalLm()).Model);

        Says(error, "my.ops.Mystery \"/odd\"", "opset 3", "choose targets after it");
    }

    private static void Says(Exception error, params string[] words)
    {
        Assert.DoesNotContain('\n', error.Message);
        Assert.All(words, word => Assert.Contains(word, error.Message, StringComparison.Ordinal));
    }
}
