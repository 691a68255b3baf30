using OrtPeft.Onnx.Serialization;
using OrtPeft.Onnx.Shapes;
using OrtPeft.Tensors;
using OrtPeft.Testing;

namespace OrtPeft.Onnx.Tests.Serialization;

public sealed class HostileFileTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ortpeft").FullName;

    public static TheoryData<string, byte[]> Broken => new()
    {
        { "negative length", Constant(Wire.Number(1, -1), Wire.Number(2, 1)) },
        { "impossible shape", Constant([.. Dims(long.MaxValue, long.MaxValue), Wire.Number(2, 1)]) },
        { "shape too large in bytes", Constant([.. Dims(1L << 61), Wire.Number(2, 1)]) },
        { "too few bytes", Constant([.. Dims(3), Wire.Number(2, 1), Wire.Bytes(9, new byte[8])]) },
        { "too many bytes", Constant([.. Dims(1), Wire.Number(2, 1), Wire.Bytes(9, new byte[8])]) },
        { "too few typed elements", Constant([.. Dims(2), Wire.Number(2, 7), Wire.Number(7, 5)]) },
        { "unknown data type", Constant([.. Dims(1), Wire.Number(2, 99)]) },
        { "undefined data type", Constant([.. Dims(1), Wire.Number(2, 0)]) },
        { "unnamed constant", Wire.Model(Wire.Initializer("", [.. Dims(0), Wire.Number(2, 1)])) },
        { "unnamed input", Wire.Model(Wire.Value(11, "")) },
        { "two inputs of one name", Wire.Model(Wire.Value(11, "x"), Wire.Value(11, "x")) },
        { "two makers of one name", Wire.Model(Wire.Node("C", [], ["a"]), Wire.Node("C", [], ["a"])) },
        { "one node makes a name twice", Wire.Model(Wire.Node("C", [], ["a", "a"])) },
        { "reads what nothing makes", Wire.Model(Wire.Node("Neg", ["nothing"], ["a"])) },
        { "result that nothing makes", Wire.Model(Wire.Value(12, "nothing")) },
        { "cycle", Wire.Model(Wire.Node("Neg", ["b"], ["a"]), Wire.Node("Neg", ["a"], ["b"])) },
        { "reads itself", Wire.Model(Wire.Node("Neg", ["a"], ["a"])) },
        { "attribute twice", Wire.Model(Wire.Node("C", [], ["a"], Attribute("k"), Attribute("k"))) },
        { "tensor attribute without one", WithAttribute(Wire.Number(20, 4)) },
        { "graph attribute without one", WithAttribute(Wire.Number(20, 5)) },
        { "element type 999", Wire.Model(Wire.Bytes(11, Wire.Message(Wire.Text(1, "x"), Wire.Bytes(2, Type(999))))) },
        { "external data without a file", Wire.Model(Wire.External("w", 1, ("location", "weights.bin"))) },
        { "mapped beyond the file", WithAttribute(Wire.Number(20, 4), Mapped()) },
        { "deep nesting", Nested(200) },
        { "very deep nesting", Nested(20_000) },
        { "two constants of one input", Wire.Model(Wire.Value(11, "x"), Scalar("x"), Scalar("x")) },
        { "operator set without a version", Wire.Model(Wire.Node("Odd", [], ["a"], Wire.Text(7, "my.ops"))) },
        { "function that calls itself", WithFunctions(Function("f", "f")) },
        { "functions that call each other", WithFunctions(Function("f", "g"), Function("g", "f")) },
        { "damaged function", WithFunctions([0xff]) },
        { "no graph", Wire.Number(1, 8) },
        { "nothing", [] },
        { "text", "not a model at all"u8.ToArray() },
    };

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <summary>Kernels of the process would run it, on whatever memory it names.</summary>
    [Fact]
    public void Load_OfAnOperatorOfOurOwn_NamesIt()
    {
        var model = new Model(17);
        model.Opsets[Model.OwnDomain] = 1;
        var x = model.Graph.AddInput("x", ElementType.Float, [2, 3]);
        model.Graph.AddOutput(model.Graph.AddNode("MatMul", [x], ["y"], domain: Model.OwnDomain).Output);
        var path = Path.Combine(_folder, "own.onnx");
        File.WriteAllBytes(path, OnnxFile.ToBytes(model));

        var error = Assert.Throws<OnnxFormatException>(() => OnnxFile.Load(path));

        Assert.Contains("own.onnx: MatMul", error.Message, StringComparison.Ordinal);
        Assert.Contains("the domain 'ortpeft'", error.Message, StringComparison.Ordinal);
    }

    /// <summary>Files of IR version 3 list every weight as an input; looking each up in a list takes minutes.</summary>
    [Fact]
    public void Load_OfManyInputsWithDefaults_FindsEach()
    {
        const int Count = 100_000;
        var model = new Model(17);
        for (var i = 0; i < Count; i++)
            model.Graph.SetInitializer(model.Graph.AddInput($"w{i}", ElementType.Float, []), Tensor.Scalar(1f));

        var read = OnnxFile.Load(OnnxFile.ToBytes(model));

        Assert.Equal(Count, read.Graph.Inputs.Count(static i => i.Initializer is not null));
    }

    /// <summary>Nodes in the wrong order, and dead ones, are moved and removed without a search for each.</summary>
    [Fact]
    public void Load_OfALongChainInReverse_SortsIt()
    {
        const int Count = 100_000;
        var nodes = Enumerable.Range(0, Count).Reverse().Select(static i => Wire.Node("Neg", [$"v{i}"], [$"v{i + 1}"]));

        var read = OnnxFile.Load(Wire.Model([Wire.Value(11, "v0"), .. nodes]));
        var last = read.Graph.Nodes[^1].Output.Name;
        read.Graph.RemoveDeadCode();

        Assert.Equal($"v{Count}", last);
        Assert.Empty(read.Graph.Nodes);
    }

    [Theory]
    [MemberData(nameof(Broken))]
    public void Load_OfABrokenModel_SaysSo(string what, byte[] bytes)
    {
        var path = Write(bytes);

        Assert.True(Record.Exception(() => OnnxFile.Load(path)) is OnnxFormatException, $"{what}, from a file");
        Assert.True(Record.Exception(() => OnnxFile.Load(bytes)) is OnnxFormatException, $"{what}, from memory");
    }

    [Fact]
    public void Load_OfAFileCutOffAnywhere_ThrowsOnlyItsOwnErrors()
    {
        var whole = File.ReadAllBytes(Fixtures.Graph("nanogpt_g2l_op13.onnx"));

        for (var length = 0; length < whole.Length; length += 97)
            AssertLoadsOrRefuses(whole[..length], $"first {length} bytes", fromFile: true);
    }

    [Theory]
    [InlineData("nanogpt_g2l_op13.onnx", 11, 300)]
    [InlineData("genai_tiny_random_gpt2_fused/past.onnx", 12, 200)]
    [InlineData("hf442_g2l_legacymerged_op13__decoder_model_merged.onnx", 13, 60)]
    public void Load_WithOneByteChanged_ThrowsOnlyItsOwnErrors(string name, int seed, int changes)
    {
        var bytes = File.ReadAllBytes(Fixtures.Graph(name));
        var random = new Random(seed);

        for (var i = 0; i < changes; i++)
        {
            // Half of the changes hit the first part of the file, where the structure is denser than in the weights.
            var at = random.Next(i % 2 == 0 ? bytes.Length : 20_000);
            var old = bytes[at];
            bytes[at] = (byte)random.Next(256);
            AssertLoadsOrRefuses(bytes, $"byte {at} = {bytes[at]}, seed {seed}", fromFile: i % 4 == 0);
            bytes[at] = old;
        }
    }

    [Fact]
    public void Load_FromAFileOver2GiB_SaysToUseExternalData()
    {
        var path = Path.Combine(_folder, "huge.onnx");
        using (var file = File.Create(path))
            file.SetLength(3L << 30);

        var error = Assert.Throws<OnnxFormatException>(() => OnnxFile.Load(path));

        Assert.Contains("external data", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_WithTheScansOwnFieldsInTheFile_DoesNotTrustThem()
    {
        byte[][] fields = [.. Dims(1), Wire.Number(2, 1), Wire.Bytes(9, new byte[4])];
        var path = Write(Constant([.. fields, Wire.Number(100001, 0), Wire.Number(100002, 4)]));

        var model = OnnxFile.Load(path);

        Assert.Equal(0f, model.Graph.Initializers[0].Initializer!.Span<float>()[0]);
    }

    private void AssertLoadsOrRefuses(byte[] bytes, string what, bool fromFile)
    {
        try
        {
            var model = fromFile ? OnnxFile.Load(Write(bytes)) : OnnxFile.Load(bytes);
            GraphValidator.Check(model.Graph);
            new ShapeInference(model.Opset).Infer(model.Graph);
        }
        catch (Exception e) when (e is OnnxFormatException or GraphException)
        {
            Assert.NotEmpty(e.Message);
        }
        catch (Exception e)
        {
            Assert.Fail($"{what}: {e}");
        }
    }

    private static byte[] Constant(params IEnumerable<byte[]> fields) => Wire.Model(Wire.Initializer("w", fields));

    private static byte[] Scalar(string name) =>
        Wire.Initializer(name, Wire.Number(2, 1), Wire.Bytes(9, new byte[4]));

    private static byte[] Function(string name, string calls) => Wire.Message(
        Wire.Text(1, name), Wire.Bytes(7, Wire.Message(Wire.Text(2, "y"), Wire.Text(4, calls), Wire.Text(7, "my"))),
        Wire.Text(10, "my"));

    private static byte[] WithFunctions(params byte[][] functions) =>
        Wire.Message([Wire.Model(), .. functions.Select(static f => Wire.Bytes(25, f))]);

    private static byte[] WithAttribute(params IEnumerable<byte[]> fields) =>
        Wire.Model(Wire.Node("C", [], ["a"], Attribute("k", fields)));

    private static byte[][] Dims(params long[] dims) => [.. dims.Select(static d => Wire.Number(1, d))];

    private static byte[] Attribute(string name, params IEnumerable<byte[]> more) =>
        Wire.Bytes(5, Wire.Message([Wire.Text(1, name), .. more]));

    private static byte[] Mapped() => Wire.Bytes(5, Wire.Message(
        Wire.Number(1, 1L << 40), Wire.Number(2, 1), Wire.Number(100001, 1L << 50), Wire.Number(100002, 1L << 42)));

    private static byte[] Type(long element) => Wire.Bytes(1, Wire.Number(1, element));

    /// <summary>Built from the inside out: each level is a node with a graph attribute.</summary>
    private static byte[] Nested(int depth)
    {
        var graph = Wire.Text(2, "innermost");
        for (var i = 0; i < depth && graph.Length < 1_000_000; i++)
            graph = Wire.Node("If", [], [], Attribute("b", Wire.Number(20, 5), Wire.Bytes(6, graph)));
        return Wire.Model(graph);
    }

    private string Write(byte[] bytes)
    {
        var path = Path.Combine(_folder, "model.onnx");
        File.Delete(path); // An earlier model may still be mapped; its pages must not change.
        File.WriteAllBytes(path, bytes);
        return path;
    }
}
