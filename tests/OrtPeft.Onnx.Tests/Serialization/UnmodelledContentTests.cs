using System.Text;
using OrtPeft.Onnx.Serialization;

namespace OrtPeft.Onnx.Tests.Serialization;

public sealed class UnmodelledContentTests
{
    private const int UnknownField = 5000;

    [Theory]
    [InlineData("in the model")]
    [InlineData("in the graph")]
    [InlineData("in a node")]
    [InlineData("in an attribute")]
    [InlineData("in an attribute's tensor")]
    [InlineData("in a tensor")]
    [InlineData("in an input")]
    [InlineData("in an output")]
    [InlineData("in a value_info")]
    [InlineData("in a subgraph")]
    [InlineData("in a type")]
    public void Save_KeepsAnUnknownField(string marker)
    {
        var model = OnnxFile.Load(ModelWithUnknownFields());

        var saved = OnnxFile.ToBytes(model);

        Assert.True(Contains(saved, marker), $"The field {marker} is lost.");
    }

    [Theory]
    [InlineData("in a node")]
    [InlineData("in an attribute")]
    [InlineData("in a subgraph")]
    public void Clone_KeepsAnUnknownField(string marker)
    {
        var model = OnnxFile.Load(ModelWithUnknownFields());

        var saved = OnnxFile.ToBytes(model.Clone());

        Assert.True(Contains(saved, marker), $"The field {marker} is lost.");
    }

    [Theory]
    [InlineData(20, "training information")]
    [InlineData(25, "\n\u0001f")]
    [InlineData(26, "a device configuration")]
    [InlineData(6, "the model's documentation")]
    public void Save_KeepsWhatItDoesNotLookInto(int field, string content)
    {
        var bytes = Wire.Message(Wire.Model(), Wire.Text(field, content));

        var saved = OnnxFile.ToBytes(OnnxFile.Load(bytes));

        Assert.True(Contains(saved, content), $"{content} is lost.");
    }

    [Fact]
    public void Save_KeepsASequenceType()
    {
        var sequence = Wire.Bytes(4, Wire.Bytes(1, Wire.Bytes(1, Wire.Number(1, 7))));
        var input = Wire.Bytes(11, Wire.Message(Wire.Text(1, "list"), Wire.Bytes(2, sequence)));

        var saved = OnnxFile.ToBytes(OnnxFile.Load(Wire.Model(input)));

        Assert.True(saved.AsSpan().IndexOf(Wire.Bytes(2, sequence)) >= 0);
    }

    [Fact]
    public void Save_KeepsAStringTensor()
    {
        var tensor = Wire.Initializer("words", Wire.Number(1, 1), Wire.Number(2, 8), Wire.Text(6, "hello"));

        var saved = OnnxFile.ToBytes(OnnxFile.Load(Wire.Model(tensor)));

        Assert.True(Contains(saved, "hello"));
    }

    private static byte[] ModelWithUnknownFields()
    {
        var tensor = Wire.Message(Wire.Number(2, 7), Wire.Bytes(9, new byte[8]), Unknown("in an attribute's tensor"));
        var body = Wire.Message(
            Wire.Text(2, "body"), Wire.Node("Neg", ["x"], ["z"]), Wire.Value(12, "z"), Unknown("in a subgraph"));
        return Wire.Message(
            Wire.Model(
                Wire.Value(11, "x", Unknown("in an input")),
                Wire.Initializer(
                    "w", Wire.Number(1, 1), Wire.Number(2, 1), Wire.Bytes(9, new byte[4]), Unknown("in a tensor")),
                Wire.Node(
                    "Odd",
                    ["x", "w"],
                    ["a"],
                    Wire.Bytes(5, Wire.Message(
                        Wire.Text(1, "value"), Wire.Number(20, 4), Wire.Bytes(5, tensor), Unknown("in an attribute"))),
                    Wire.Bytes(5, Wire.Message(Wire.Text(1, "body"), Wire.Number(20, 5), Wire.Bytes(6, body))),
                    Unknown("in a node")),
                Wire.Node("Neg", ["a"], ["y"]),
                Wire.Value(13, "a", Unknown("in a value_info"), Wire.Bytes(2, Wire.Text(6, "in a type"))),
                Wire.Value(12, "y", Unknown("in an output")),
                Unknown("in the graph")),
            Unknown("in the model"));
    }

    private static byte[] Unknown(string marker) => Wire.Text(UnknownField, marker);

    private static bool Contains(byte[] bytes, string text) =>
        bytes.AsSpan().IndexOf(Encoding.UTF8.GetBytes(text)) >= 0;
}
