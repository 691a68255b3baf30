using OrtPeft.Models;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Passes;
using OrtPeft.Onnx.Serialization;
using OrtPeft.Testing;

namespace OrtPeft.Adapters.Tests;

/// <summary>One GPT-2 (2 layers, width 32, 101 tokens) as three graphs: imported, and exported at two opsets.</summary>
internal static class Gpt2
{
    public const string Imported = "imported";
    public const string Op13 = "hf442_g2l_nopast_op13";
    public const string Op17 = "hf442_g2l_nopast_op17";

    public static IReadOnlyList<string> Names { get; } = [Imported, Op13, Op17];

    public static TheoryData<string> Models => [.. Names];

    /// <summary>Every model with every one of these.</summary>
    public static TheoryData<string, string> With(IEnumerable<string> cases)
    {
        var data = new TheoryData<string, string>();
        foreach (var item in cases)
            foreach (var name in Names)
                data.Add(name, item);
        return data;
    }

    public static Model Open(string name) => name == Imported
        ? ModelSource.Open(Path.Combine(Fixtures.Folder, "base", "g2l")).Model
        : OnnxFile.Load(Fixtures.Graph($"{name}.onnx"));

    public static Model Canonical(string name)
    {
        var model = Open(name);
        CanonicalForm.Apply(model);
        return model;
    }
}
