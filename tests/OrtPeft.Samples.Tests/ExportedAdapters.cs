using System.Diagnostics;
using OrtPeft.Adapters;
using OrtPeft.Adapters.Lora;
using OrtPeft.Inference.Generation;
using OrtPeft.Models;
using OrtPeft.Tensors;
using OrtPeft.Testing;

namespace OrtPeft.Samples.Tests;

/// <summary>A base with two adapters as <c>ortpeft export</c> writes them for apps, and OrtPeft's own answers.</summary>
public sealed class ExportedAdapters : IDisposable
{
    /// <summary>"Gets the value." in the base's tokens.</summary>
    public static readonly int[] Prompt = [395, 260, 329, 13];

    private static readonly string Base = Path.GetFullPath(Path.Combine(Fixtures.Folder, "..", "..", "models", "tiny-gpt2-apidocs"));

    private readonly TemporaryFolder _place = new();
    private readonly PeftModel _peft;

    public ExportedAdapters()
    {
        _peft = PeftModel.Create(
            ModelSource.Open(Base).Model, new LoraConfig { R = 2, InitLoraWeights = false, TargetModules = ".*c_attn" }, name: "a");
        _peft.Adapters.Add(
            "b", new LoraConfig { R = 4, LoraAlpha = 2, InitLoraWeights = false, TargetModules = ".*(c_attn|c_proj)" }, seed: 1);
        _peft.Save(_place.Path);
        Optional = Exported("optional");
        Required = Exported("required", "--required-inputs");
    }

    /// <summary>The folder whose graph has LoRA as optional inputs.</summary>
    public string Optional { get; }

    /// <summary>The folder whose graph has LoRA as required inputs.</summary>
    public string Required { get; }

    /// <summary>OrtPeft's logits after the prompt.</summary>
    /// <param name="adapter">The adapter; null for the base.</param>
    public float[] Logits(string? adapter)
    {
        long[] dims = [1, Prompt.Length];
        var batch = new Dictionary<string, Tensor>
        {
            ["input_ids"] = Tensor.Of<long>([.. Prompt.Select(static t => (long)t)], dims),
            ["attention_mask"] = Tensor.Of<long>([.. Prompt.Select(static _ => 1L)], dims),
        };
        var logits = DecoderLogits.Of(Active(adapter), DecoderLogits.WithPositions(batch));
        return logits.ToFloat32()[^(int)logits.Dims[^1]..];
    }

    /// <summary>OrtPeft's own continuation.</summary>
    public IReadOnlyList<int> Continued(string? adapter, int count)
    {
        using var generator = Generator.Open(Active(adapter));
        return [.. generator.Generate(Prompt, new GenerationOptions { MaxNewTokens = count })];
    }

    public void Dispose() => _place.Dispose();

    private Onnx.Model Active(string? adapter)
    {
        if (adapter is null)
            return _peft.Base;
        _peft.Adapters.Set(adapter);
        return _peft.Model;
    }

    private string Exported(string name, params string[] options)
    {
        string[] arguments =
        [
            Path.Combine(AppContext.BaseDirectory, "ortpeft.dll"), "export", Base, "--adapter", $"a={_place["a"]}", "--adapter",
            $"b={_place["b"]}", "--format", "onnx-adapter", .. options, "--out", _place[name],
        ];
        using var process = Process.Start(new ProcessStartInfo("dotnet", arguments) { RedirectStandardError = true })!;
        var errors = process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, errors);
        return _place[name];
    }
}
