using System.Runtime.CompilerServices;
using System.Xml.Linq;

namespace OrtPeft.Architecture.Tests;

/// <summary>Arrows between projects go one way: the lower layer never knows the upper.</summary>
public sealed class ReferencesTests
{
    public static TheoryData<string, string[]> Layers => new()
    {
        { "OrtPeft", ["OrtPeft.Serving"] },
        { "OrtPeft.Tensors", [] },
        { "OrtPeft.Onnx", ["OrtPeft.Tensors"] },
        { "OrtPeft.Tokenizers", [] },
        { "OrtPeft.Artifacts", ["OrtPeft.Tensors"] },
        { "OrtPeft.Autodiff", ["OrtPeft.Onnx"] },
        { "OrtPeft.Models", ["OrtPeft.Onnx"] },
        { "OrtPeft.Adapters", ["OrtPeft.Onnx", "OrtPeft.Artifacts"] },
        { "OrtPeft.Kernels", ["OrtPeft.Onnx", "OrtPeft.Autodiff"] },
        {
            "OrtPeft.Compilation",
            ["OrtPeft.Onnx", "OrtPeft.Autodiff", "OrtPeft.Adapters", "OrtPeft.Artifacts", "OrtPeft.Kernels"]
        },
        { "OrtPeft.Runtime", ["OrtPeft.Onnx", "OrtPeft.Kernels"] },
        { "OrtPeft.Inference", ["OrtPeft.Runtime", "OrtPeft.Tokenizers"] },
        { "OrtPeft.Training", ["OrtPeft.Compilation", "OrtPeft.Artifacts", "OrtPeft.Inference", "OrtPeft.Tokenizers"] },
        { "OrtPeft.Text", ["OrtPeft.Models", "OrtPeft.Training"] },
        { "OrtPeft.Serving", ["OrtPeft.Text"] },
    };

    [Theory]
    [MemberData(nameof(Layers))]
    public void Project_References_OnlyTheLayersBelowIt(string project, string[] allowed)
    {
        var references = Items(project, "ProjectReference").Select(static r => Path.GetFileNameWithoutExtension(r));

        Assert.Empty(references.Except(allowed));
    }

    [Theory]
    [MemberData(nameof(Layers))]
    public void Project_KnowsOnnxRuntime_OnlyWhereModelsRun(string project, string[] allowed)
    {
        var runsModels = project is "OrtPeft.Runtime" or "OrtPeft.Inference" or "OrtPeft.Training" or "OrtPeft.Serving";

        var packages = Items(project, "PackageReference")
            .Where(static p => p.StartsWith("Microsoft.ML.OnnxRuntime", StringComparison.Ordinal));

        Assert.NotNull(allowed);
        Assert.Equal(runsModels ? ["Microsoft.ML.OnnxRuntime.Managed"] : [], packages);
    }

    [Fact]
    public void Layers_List_IsComplete()
    {
        var projects = Directory.GetDirectories(Source()).Select(Path.GetFileName).Order();

        Assert.Equal(projects, Layers.Select(static row => (string)row[0]).Order());
    }

    private static IEnumerable<string> Items(string project, string kind) =>
        XDocument.Load(Path.Combine(Source(), project, $"{project}.csproj")).Descendants(kind)
            .Select(static e => e.Attribute("Include")!.Value);

    private static string Source([CallerFilePath] string path = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(path)!, "../../src"));
}
