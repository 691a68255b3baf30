using Google.Protobuf;
using Microsoft.ML.OnnxRuntime;
using OrtPeft.Onnx.Serialization;
using OrtPeft.Onnx.Serialization.Proto;
using OrtPeft.Onnx.Tests.Corpus;
using OrtPeft.Tensors;

namespace OrtPeft.Onnx.Tests.Serialization;

/// <summary>Files with model-local functions compute the same once those are inlined.</summary>
public sealed class LocalFunctionsTests
{
    private static readonly Dictionary<string, ModelProto> Files = new()
    {
        ["a function called twice"] = File(
            [Call("Scaled", "a", ["x", "w"], ["h"]), Call("Scaled", "b", ["h", "w"], ["y"])],
            Function("Scaled", ["x", "w"], ["y"], Node("Mul", ["x", "w"], ["t"]), Node("Neg", ["t"], ["y"]))),
        ["functions in functions"] = File(
            [Call("Outer", "a", ["x"], ["y"])],
            Function("Outer", ["v"], ["r"], Call("Inner", "n", ["v"], ["t"]), Call("Inner", "m", ["t"], ["r"])),
            Function("Inner", ["v"], ["r"], Node("Exp", ["v"], ["t"]), Node("Neg", ["t"], ["r"]))),
        ["names that the graph has, too"] = File(
            [Node("Neg", ["x"], ["a/t"]), Call("Scaled", "a", ["a/t", "w"], ["y"])],
            Function("Scaled", ["x", "w"], ["y"], Node("Mul", ["x", "w"], ["t"]), Node("Neg", ["t"], ["y"]))),
        ["an attribute of the call"] = File(
            [WithAlpha(Call("Leaky", "a", ["x"], ["y"]), 0.5f)], Leaky()),
        ["an attribute's default"] = File([Call("Leaky", "a", ["x"], ["y"])], Leaky(defaultAlpha: 0.25f)),
        ["an attribute that nobody gives"] = File([Call("Leaky", "a", ["x"], ["y"])], Leaky()),
        ["a result that nobody wants"] = File(
            [Call("Both", "a", ["x"], ["", "y"])],
            Function("Both", ["v"], ["q", "r"], Node("Exp", ["v"], ["q"]), Node("Neg", ["v"], ["r"]))),
        ["a call in a subgraph"] = File(
            [Constant("flag"), Choose()], Function("Turned", ["v"], ["r"], Node("Neg", ["v"], ["r"]))),
        ["a subgraph that reads what is around it"] = File(
            [Call("Chosen", "a", ["x"], ["y"])],
            Function("Chosen", ["v"], ["r"], Node("Exp", ["v"], ["t"]), Constant("flag"), If("flag", "t", "v", "r"))),
    };

    public static TheoryData<string> Names => [.. Files.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void Load_OfLocalFunctions_InlinesThem(string name)
    {
        var bytes = Files[name].ToByteArray();

        var model = OnnxFile.Load(bytes);

        Assert.DoesNotContain(model.Graph.Nodes, static n => n.Domain == "my");
        Assert.Equal(Results(bytes), Results(OnnxFile.ToBytes(model)));
        Assert.Empty(ModelProto.Parser.ParseFrom(OnnxFile.ToBytes(model)).Functions);
    }

    /// <summary>ONNX Runtime refuses such a function itself.</summary>
    [Fact]
    public void Load_OfAFunctionThatHandsAnInputOn_CopiesIt()
    {
        var file = File(
            [Call("Both", "a", ["x"], ["h", "i"]), Node("Add", ["h", "i"], ["y"])],
            Function("Both", ["v"], ["v", "r"], Node("Neg", ["v"], ["r"])));

        Assert.Equal(new byte[3 * sizeof(float)], Results(OnnxFile.ToBytes(OnnxFile.Load(file.ToByteArray()))));
    }

    /// <summary>Negation has one form since opset 6, so that the newest of the versions holds for all nodes.</summary>
    [Theory]
    [InlineData(12, 21)]
    [InlineData(22, 22)]
    public void Load_OfAFunctionOfAnotherOpset_TakesTheNewest(int version, int newest)
    {
        var file = File(
            [Node("Exp", ["x"], ["h"]), Call("Turned", "a", ["h"], ["y"])],
            WithOpset(Function("Turned", ["v"], ["r"], Node("Neg", ["v"], ["r"])), version));

        var model = OnnxFile.Load(file.ToByteArray());

        Assert.Equal(newest, model.Opset);
        Assert.Equal(Results(file.ToByteArray()), Results(OnnxFile.ToBytes(model)));
    }

    /// <summary>Softmax of opset 12 is another function than today's; so is ReduceMean of 17, which has attributes.
    /// </summary>
    [Theory]
    [InlineData("Softmax", 12, "the model-local function my.Turned is written for opset 12, other parts of the model for 21")]
    [InlineData("ReduceMean", 17, "ReduceMean changed between them")]
    [InlineData("Neg", 6, "opset 6")]
    [InlineData("Neg", 99, "the graph is written for opset 21, other parts of the model for 99")]
    public void Load_OfAFunctionWhoseOperatorsChanged_SaysWhich(string op, int version, string expected)
    {
        var file = File(
            [Node("Exp", ["x"], ["h"]), Call("Turned", "a", ["h"], ["y"])],
            WithOpset(Function("Turned", ["v"], ["r"], Node(op, ["v"], ["r"])), version));

        var error = Assert.Throws<OnnxFormatException>(() => OnnxFile.Load(file.ToByteArray()));

        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    /// <summary>Twenty functions, each of which calls the next one twice, would make a million nodes.</summary>
    [Fact]
    public void Load_OfFunctionsThatMultiply_IsRefused()
    {
        var functions = Enumerable.Range(0, 24).Select(static i => i == 23
            ? Function("f23", ["v"], ["r"], Node("Neg", ["v"], ["r"]))
            : Function($"f{i}", ["v"], ["r"], Call($"f{i + 1}", "", ["v"], ["t"]), Call($"f{i + 1}", "", ["t"], ["r"])));
        var file = File([Call("f0", "", ["x"], ["y"])], [.. functions]);

        var error = Assert.Throws<OnnxFormatException>(() => OnnxFile.Load(file.ToByteArray()));

        Assert.Contains("more than 1000000 nodes", error.Message, StringComparison.Ordinal);
    }

    /// <summary>Each function calls the next one, so many deep that inlining would end on the stack.</summary>
    [Theory]
    [InlineData(100, true)]
    [InlineData(101, false)]
    [InlineData(50_000, false)]
    public void Load_OfFunctionsWithinFunctions_IsRefusedTooDeep(int depth, bool isRead)
    {
        var functions = Enumerable.Range(1, depth).Select(i => i == depth
            ? Function($"f{i}", ["v"], ["r"], Node("Neg", ["v"], ["r"]))
            : Function($"f{i}", ["v"], ["r"], Call($"f{i + 1}", "", ["v"], ["r"])));
        var file = File([Call("f1", "", ["x"], ["y"])], [.. functions]);

        var error = Record.Exception(() => OnnxFile.Load(file.ToByteArray()));

        if (isRead)
            Assert.Null(error);
        else
            Assert.Contains("more than 100 deep", Assert.IsType<OnnxFormatException>(error).Message, StringComparison.Ordinal);
    }

    private static byte[] Results(byte[] model)
    {
        using var x = OrtValue.CreateTensorValueFromMemory([1f, -2f, 3f], [3]);
        using var w = OrtValue.CreateTensorValueFromMemory([2f, 5f, -1f], [3]);
        return Run.Of(model, new() { ["x"] = x, ["w"] = w })["y"].Bytes;
    }

    private static ModelProto File(NodeProto[] nodes, params FunctionProto[] functions)
    {
        var graph = new GraphProto { Name = "g", Input = { Vector("x"), Vector("w") }, Output = { Vector("y") } };
        graph.Node.AddRange(nodes);
        var model = new ModelProto { IrVersion = 10, Graph = graph };
        model.OpsetImport.Add(new OperatorSetIdProto { Domain = "", Version = 21 });
        model.OpsetImport.Add(new OperatorSetIdProto { Domain = "my", Version = 1 });
        model.Functions.AddRange(functions.Select(static f => f.ToByteString()));
        return model;
    }

    private static ValueInfoProto Vector(string name)
    {
        var shape = new TensorShapeProto { Dim = { new TensorShapeProto.Types.Dimension { DimValue = 3 } } };
        return new() { Name = name, Type = new TypeProto { TensorType = new() { ElemType = 1, Shape = shape } } };
    }

    private static FunctionProto Function(string name, string[] inputs, string[] outputs, params NodeProto[] nodes)
    {
        var function = new FunctionProto { Name = name, Domain = "my" };
        function.Input.AddRange(inputs);
        function.Output.AddRange(outputs);
        function.Node.AddRange(nodes);
        function.OpsetImport.Add(new OperatorSetIdProto { Domain = "my", Version = 1 });
        return WithOpset(function, 21);
    }

    private static FunctionProto WithOpset(FunctionProto function, long version)
    {
        var others = function.OpsetImport.Where(static i => i.Domain.Length > 0).ToArray();
        function.OpsetImport.Clear();
        function.OpsetImport.AddRange(others.Append(new OperatorSetIdProto { Domain = "", Version = version }));
        return function;
    }

    private static FunctionProto Leaky(float? defaultAlpha = null)
    {
        var node = Node("LeakyRelu", ["v"], ["r"]);
        node.Attribute.Add(new AttributeProto
        {
            Name = "alpha",
            RefAttrName = "slope",
            Type = AttributeProto.Types.AttributeType.Float,
        });
        var function = Function("Leaky", ["v"], ["r"], node);
        if (defaultAlpha is { } alpha)
            function.AttributeProto.Add(Float("slope", alpha));
        else
            function.Attribute.Add("slope");
        return function;
    }

    private static NodeProto WithAlpha(NodeProto call, float alpha)
    {
        call.Attribute.Add(Float("slope", alpha));
        return call;
    }

    private static AttributeProto Float(string name, float value) =>
        new() { Name = name, F = value, Type = AttributeProto.Types.AttributeType.Float };

    private static NodeProto Call(string function, string name, string[] inputs, string[] outputs)
    {
        var node = Node(function, inputs, outputs);
        (node.Domain, node.Name) = ("my", name);
        return node;
    }

    private static NodeProto Node(string op, string[] inputs, string[] outputs)
    {
        var node = new NodeProto { OpType = op };
        node.Input.AddRange(inputs);
        node.Output.AddRange(outputs);
        return node;
    }

    private static NodeProto Constant(string name)
    {
        var node = Node("Constant", [], [name]);
        node.Attribute.Add(new AttributeProto
        {
            Name = "value",
            Type = AttributeProto.Types.AttributeType.Tensor,
            T = new TensorProto { DataType = 9, RawData = ByteString.CopyFrom(1) },
        });
        return node;
    }

    /// <summary>r is −a where the flag is set, else −b.</summary>
    private static NodeProto If(string flag, string a, string b, string r)
    {
        var node = Node("If", [flag], [r]);
        node.Attribute.Add(Branch("then_branch", Node("Neg", [a], ["q"])));
        node.Attribute.Add(Branch("else_branch", Node("Neg", [b], ["q"])));
        return node;
    }

    private static AttributeProto Branch(string name, NodeProto node) => new()
    {
        Name = name,
        Type = AttributeProto.Types.AttributeType.Graph,
        G = new GraphProto { Name = name, Node = { node }, Output = { Vector(node.Output[0]) } },
    };

    private static NodeProto Choose()
    {
        var node = Node("If", ["flag"], ["y"]);
        node.Attribute.Add(Branch("then_branch", Call("Turned", "c", ["x"], ["q"])));
        node.Attribute.Add(Branch("else_branch", Call("Turned", "c", ["w"], ["p"])));
        return node;
    }
}
