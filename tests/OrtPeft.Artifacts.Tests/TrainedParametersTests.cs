using System.Text.Json.Nodes;
using OrtPeft.Artifacts.OrtFormats;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Safetensors;
using OrtPeft.Tensors.Storage;
using OrtPeft.Testing;

namespace OrtPeft.Artifacts.Tests;

/// <summary>The artifacts have the parameters A [2, 3] and B [3], which the models call a and b.</summary>
public sealed class TrainedParametersTests : IDisposable
{
    private const int FlatLength = 32;

    private static readonly float[] Six = [1, 2, 3, 4, 5, 6];

    private static readonly float[] Three = [7, 8, 9];

    private readonly TemporaryFolder _folder = new();

    public TrainedParametersTests() => Manifest(FlatLength).Save(_folder.Path);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Load_OfACheckpoint_GivesParametersTheirNamesOnDisk()
    {
        var checkpoint = new OrtCheckpoint
        {
            Trainable = [Tensor.Vector<float>(Three).WithName("b"), Tensor.Of<float>(Six, [2, 3]).WithName("a")],
            Frozen = [Tensor.Vector(1f).WithName("base.weight")],
            OptimizerGroups = [new() { Step = 12 }],
        };
        checkpoint.Save(_folder["trained"]);

        var loaded = TrainedParameters.Load(_folder["trained"], _folder.Path);

        AssertBoth(loaded);
        Assert.Equal(12, loaded.Step);
        Assert.Equal(["vera_A", "base.weight"], loaded.Constants.Keys);
    }

    [Fact]
    public void Load_WithoutArtifacts_TakesNamesAsTheyAre()
    {
        new OrtCheckpoint { Trainable = [Tensor.Vector<float>(Three).WithName("b")] }.Save(_folder["trained"]);

        var loaded = TrainedParameters.Load(_folder["trained"]);

        Assert.Equal(Three, loaded.Trained["b"].ToFloat32());
        Assert.Null(loaded.Step);
        Assert.Empty(loaded.Constants);
    }

    [Fact]
    public void Load_OfSafetensors_ReadsNamesOnDisk()
    {
        var path = _folder["w.safetensors"];
        SafetensorsFile.Save(path, [("B", Tensor.Vector<float>(Three)), ("A", Tensor.Of<float>(Six, [2, 3]))]);

        AssertBoth(TrainedParameters.Load(path, _folder.Path));
    }

    [Fact]
    public void Load_OfNumbersAlone_TakesThemInTheOrderOfTheArtifacts()
    {
        File.WriteAllBytes(_folder["p.bin"], Bytes([.. Six, .. Three]));

        AssertBoth(TrainedParameters.Load(_folder["p.bin"], _folder.Path));
    }

    [Fact]
    public void Load_OfAFlatVector_LeavesItsGapsOut()
    {
        var flat = new float[FlatLength];
        Six.CopyTo(flat, 0);
        Three.CopyTo(flat, 16);
        File.WriteAllBytes(_folder["p.bin"], Bytes(flat));

        AssertBoth(TrainedParameters.Load(_folder["p.bin"], _folder.Path));
    }

    [Fact]
    public void Load_OfNumbersOfAnotherLength_SaysWhatTheArtifactsTake()
    {
        File.WriteAllBytes(_folder["p.bin"], new byte[35]);

        Refused("p.bin", _folder.Path, "35 bytes", "take 36 or 128 as a flat vector");
    }

    [Fact]
    public void Load_OfNumbersWithoutArtifacts_AsksForThem()
    {
        File.WriteAllBytes(_folder["p.bin"], new byte[36]);

        Refused("p.bin", null, "give the artifact folder");
    }

    public static TheoryData<Tensor[], string> Others => new()
    {
        { [Tensor.Of<float>(Six, [2, 3]).WithName("a")], "lacks the parameter 'b'" },
        { [Tensor.Of<float>(Six, [3, 2]).WithName("a"), Tensor.Vector<float>(Three).WithName("b")], "Float[3, 2] 'a'" },
        { [Tensor.Of<double>([1, 2, 3], [3]).WithName("b"), Tensor.Of<float>(Six, [2, 3]).WithName("a")], "Double[3]" },
        { [Tensor.Vector<float>(Three).WithName("c")], "has 'c', which is not a parameter" },
    };

    [Theory]
    [MemberData(nameof(Others))]
    public void Load_OfACheckpointOfOtherArtifacts_SaysWhatDiffers(Tensor[] trainable, string expected)
    {
        new OrtCheckpoint { Trainable = trainable }.Save(_folder["trained"]);

        Refused("trained", _folder.Path, expected, "that it was trained with");
    }

    [Fact]
    public void Load_OfANominalCheckpoint_SaysThatItHasNoValues()
    {
        new OrtCheckpoint { IsNominal = true, Trainable = [Tensor.Vector<float>(Three).WithName("b")] }
            .Save(_folder["trained"]);

        Refused("trained", null, "nominal", "saved in training");
    }

    private void Refused(string file, string? artifacts, params string[] parts)
    {
        var error = Assert.Throws<OnnxFormatException>(() => TrainedParameters.Load(_folder[file], artifacts));

        Assert.Contains(file, error.Message, StringComparison.Ordinal);
        Assert.All(parts, part => Assert.Contains(part, error.Message, StringComparison.Ordinal));
    }

    private static void AssertBoth(TrainedParameters loaded)
    {
        Assert.Equal(["A", "B"], loaded.Trained.Keys.Order(StringComparer.Ordinal));
        Assert.Equal("Float[2, 3] 'A'", loaded.Trained["A"].WithName("A").ToString());
        Assert.Equal(Six, loaded.Trained["A"].ToFloat32());
        Assert.Equal(Three, loaded.Trained["B"].ToFloat32());
        Assert.IsType<MappedTensorData>(loaded.Trained["B"].Data);
    }

    private static byte[] Bytes(float[] values) =>
        System.Runtime.InteropServices.MemoryMarshal.AsBytes<float>(values).ToArray();

    /// <summary>Artifacts with initial weights, and a constant beside them.</summary>
    private ArtifactManifest Manifest(long flatLength)
    {
        (string Name, Tensor Tensor)[] initial =
        [
            ("A", Tensor.Of<float>(new float[6], [2, 3])),
            ("B", Tensor.Vector(0f, 0, 0)),
            ("vera_A", Tensor.Vector(1f)),
        ];
        SafetensorsFile.Save(_folder[AdapterFiles.Weights], initial);
        static ArtifactValue Input(string name) => new() { Name = name, Role = ValueRoles.Parameter };
        return new ArtifactManifest
        {
            Runtime = ArtifactRuntimes.Ort,
            Objective = "causal-lm",
            PeftConfig = new JsonObject { ["peft_type"] = "LORA" },
            Files = new ArtifactFiles { Weights = AdapterFiles.Weights },
            Training = new() { File = "t.onnx", Inputs = [Input("a"), Input("b")], Outputs = [] },
            Optimizer = new() { File = "o.onnx", Inputs = [], Outputs = [] },
            Parameters =
            [
                new() { Name = "A", Input = "a", Dims = [2, 3], Offset = 0 },
                new() { Name = "B", Input = "b", Dims = [3], Offset = 16 },
            ],
            FlatLength = flatLength,
            AdamW = new(),
        };
    }
}
