using OrtPeft.Onnx.Serialization;
using OrtPeft.Onnx.Serialization.Proto;

namespace OrtPeft.Onnx.Tests.Serialization;

public sealed class NodeScopesTests
{
    [Theory]
    [InlineData("['', 'model', 'model.layers.0', 'model.layers.0.mlp.up_proj', 'linear_3']", "model.layers.0.mlp.up_proj")]
    [InlineData("['', 'lm_head', 'linear']", "lm_head")]
    [InlineData("['', 'model.layers.0.mlp.up_proj@1', 'linear_3']", "model.layers.0.mlp.up_proj")]
    [InlineData("[\"\", \"lm_head\", \"linear\"]", "lm_head")]
    [InlineData("['', 'add']", null)]
    [InlineData("['linear']", null)]
    [InlineData("[]", null)]
    [InlineData("damaged ' text", null)]
    [InlineData("", null)]
    public void Of_GivesTheInnermostModule(string noted, string? expected)
    {
        var node = new NodeProto { OpType = "MatMul" };
        node.MetadataProps.Add(new StringStringEntryProto { Key = "pkg.torch.onnx.name_scopes", Value = noted });

        Assert.Equal(expected, NodeScopes.Of(node));
    }

    [Fact]
    public void Of_WhenNothingIsNoted_GivesNone() => Assert.Null(NodeScopes.Of(new NodeProto { OpType = "MatMul" }));
}
