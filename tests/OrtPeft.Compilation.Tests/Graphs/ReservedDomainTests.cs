using OrtPeft.Adapters;
using OrtPeft.Adapters.Lora;
using OrtPeft.Adapters.Tests;
using OrtPeft.Compilation.Graphs;
using OrtPeft.Compilation.Objectives;
using OrtPeft.Onnx;

namespace OrtPeft.Compilation.Tests.Graphs;

/// <summary>Nodes of the kernels' domain are OrtPeft's own: a file's are refused, whatever they read.</summary>
public sealed class ReservedDomainTests
{
    [Theory]
    [InlineData("Gelu")]
    [InlineData("Attention")]
    [InlineData("Unheard")]
    public void Build_OfAGraphWithSuchANode_NamesIt(string op)
    {
        var model = LlamaLike.Build();
        var logits = model.Graph.Outputs[0];
        var node = model.Graph.AddNode(op, [logits], ["spoilt"], domain: "ortpeft");
        (node.Output.Type, node.Output.Shape) = (logits.Type, logits.Shape);
        model.Graph.RemoveOutput(logits);
        model.Graph.AddOutput(node.Output);

        var peft = PeftModel.Create(model, new LoraConfig { TargetModules = ["q_proj"] });

        foreach (var build in new Action[]
        {
            () => TrainingGraph.Build(peft, new CausalLm()),
            () => EvaluationGraph.Build(peft, new CausalLm()),
            () => EvaluationGraph.Build(model, new CausalLm()),
        })
            Assert.Contains($"ortpeft.{op}", Assert.Throws<GraphException>(build).Message, StringComparison.Ordinal);
    }
}
