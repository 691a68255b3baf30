using OrtPeft.Adapters.Lora;
using OrtPeft.Adapters.Modules;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;

namespace OrtPeft.Adapters.Tests.Modules;

public sealed class NameMapTests
{
    [Theory]
    [InlineData("""{"node_linear_0":"model.layers.0.mlp.up_proj"}""", "model.layers.0.mlp.up_proj")]
    [InlineData("{}", "node_linear_0")]
    public void Create_OnAnAnonymousLayer_TakesTheGivenName(string map, string expected)
    {
        var model = Anonymous("node_linear_0", "val_1");
        model.Metadata[MetadataKeys.ModuleNames] = map;

        var peft = PeftModel.Create(model, new LoraConfig { R = 1, TargetModules = ModuleTargets.AllLinear });

        Assert.Equal($"base_model.model.{expected}.lora_A.weight", peft.Parameters[0].Name);
        Assert.Equal(expected.StartsWith("node", StringComparison.Ordinal) ? [expected] : [], peft.ModulesWithoutSourceName);
    }

    [Theory]
    [InlineData("""{"blocks.*.fc":"model.layers.*.mlp.up_proj"}""", "model.layers.3.mlp.up_proj")]
    [InlineData("""{"blocks.3.fc":"model.layers.4.mlp.up_proj"}""", "model.layers.4.mlp.up_proj")]
    public void Create_OnANamedLayer_TakesTheGivenNameToo(string map, string expected)
    {
        var model = Anonymous("n", "blocks.3.fc.weight");
        model.Metadata[MetadataKeys.ModuleNames] = map;

        var peft = PeftModel.Create(model, new LoraConfig { R = 1, TargetModules = ModuleTargets.AllLinear });

        Assert.Equal($"base_model.model.{expected}.lora_A.weight", peft.Parameters[0].Name);
    }

    /// <summary>A misspelt entry would silently leave a layer under its old name.</summary>
    [Fact]
    public void Create_WhenAnEntryIsNoModules_SaysWhichThereAre()
    {
        var model = Anonymous("node_linear_0", "val_1");
        model.Metadata[MetadataKeys.ModuleNames] = """{"node_linear_9":"model.layers.0.mlp.up_proj"}""";

        var error = Assert.Throws<ConfigException>(() => PeftModel.Create(model, new LoraConfig { R = 1 }));

        Assert.Contains("'node_linear_9', which is not a module of the graph; these are: node_linear_0", error.Message, StringComparison.Ordinal);
    }

    private static Model Anonymous(string node, string weight) => SmallGraphs.Of((g, x) =>
    {
        var y = g.MatMul(x, SmallGraphs.Weight(g, weight, 2, 4));
        y.Producer!.Name = node;
        return g.MatMul(g.Op("Relu", y), SmallGraphs.Weight(g, "lm_head.weight", 4, 8));
    });
}
