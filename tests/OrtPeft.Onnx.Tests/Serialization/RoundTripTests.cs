using OrtPeft.Onnx.Serialization;
using OrtPeft.Onnx.Tests.Corpus;
using OrtPeft.Testing;

namespace OrtPeft.Onnx.Tests.Serialization;

public sealed class RoundTripTests : IDisposable
{
    private static readonly Sizes NoPast = new(Batch: 2, Sequence: 5, Past: 0);
    private static readonly Sizes SomePast = new(Batch: 2, Sequence: 3, Past: 4);
    private readonly string _folder = Directory.CreateTempSubdirectory("ortpeft").FullName;

    public static TheoryData<string> Graphs => [.. Fixtures.Graphs];

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [MemberData(nameof(Graphs))]
    public void Save_WithWeightsEmbedded_ComputesTheSameBits(string name)
    {
        var path = Path.Combine(_folder, "copy.onnx");

        OnnxFile.Save(OnnxFile.Load(Fixtures.Graph(name)), path, new OnnxSaveOptions { ExternalData = false });

        AssertSame(name, path);
    }

    [Theory]
    [MemberData(nameof(Graphs))]
    public void Save_WithExternalData_ComputesTheSameBits(string name)
    {
        var path = Path.Combine(_folder, "copy.onnx");

        var options = new OnnxSaveOptions { ExternalData = true, ExternalThresholdBytes = 64 };
        OnnxFile.Save(OnnxFile.Load(Fixtures.Graph(name)), path, options);

        AssertSame(name, path);
    }

    [Theory]
    [MemberData(nameof(Graphs))]
    public void Save_OfAClone_ComputesTheSameBits(string name)
    {
        var path = Path.Combine(_folder, "copy.onnx");

        OnnxFile.Save(OnnxFile.Load(Fixtures.Graph(name)).Clone(), path);

        AssertSame(name, path);
    }

    [Theory]
    [MemberData(nameof(Graphs))]
    public void Save_AfterLoadingWhatWasSaved_WritesTheSameBytes(string name)
    {
        var once = OnnxFile.ToBytes(OnnxFile.Load(Fixtures.Graph(name)));

        var twice = OnnxFile.ToBytes(OnnxFile.Load(once));

        Assert.True(once.AsSpan().SequenceEqual(twice));
    }

    [Theory]
    [MemberData(nameof(Graphs))]
    public void Load_OfARealModel_IsValid(string name)
    {
        var model = OnnxFile.Load(Fixtures.Graph(name));

        GraphValidator.Check(model.Graph);
    }

    private static void AssertSame(string name, string copy)
    {
        GraphValidator.Check(OnnxFile.Load(copy).Graph);
        var graph = OnnxFile.Load(Fixtures.Graph(name)).Graph;
        foreach (var sizes in new[] { SomePast, NoPast }.Where(s => Accepts(graph, s)))
        {
            var inputs = RandomInputs.For(graph, sizes, seed: 1);
            var expected = Run.Of(Fixtures.Graph(name), inputs);
            var actual = Run.Of(copy, inputs);
            Assert.Equal(expected.Keys, actual.Keys);
            foreach (var (output, result) in expected)
            {
                Assert.Equal(result.Dims, actual[output].Dims);
                Assert.True(result.Bytes.AsSpan().SequenceEqual(actual[output].Bytes), $"{output} differs");
            }
        }
    }

    /// <summary>
    /// The merged graph's branch that is taken here reads a past; without one it is the other branch's turn.
    /// </summary>
    private static bool Accepts(Graph graph, Sizes sizes) =>
        sizes.Past > 0 || graph.Inputs.All(static i => i.Name != "use_cache_branch");
}
