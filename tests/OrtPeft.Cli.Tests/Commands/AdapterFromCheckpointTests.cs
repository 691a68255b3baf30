using System.Runtime.InteropServices;
using OrtPeft.Artifacts;
using OrtPeft.Artifacts.OrtFormats;
using OrtPeft.Cli.Tests.Running;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Safetensors;

namespace OrtPeft.Cli.Tests.Commands;

public sealed class AdapterFromCheckpointTests(Workplace place) : IClassFixture<Workplace>
{
    private const string Verb = "adapter-from-checkpoint";

    /// <summary>What a checkpoint holds is what the adapter folder holds, bit by bit.</summary>
    [Theory]
    [InlineData("lora", "--rank", "2")]
    [InlineData("vera", "--rank", "4")]
    [InlineData("full")]
    [InlineData("prompt-tuning", "--num-virtual-tokens", "3")]
    public void WithoutABase_WritesTheTrainedTensors(params string[] method)
    {
        var artifacts = Artifacts(method);
        var trained = Trained(artifacts);
        Save(trained, Path.Combine(artifacts, OrtCheckpoint.FileName));
        var adapter = place.Fresh();

        var run = CliRun.Of(Verb, Path.Combine(artifacts, OrtCheckpoint.FileName), "--out", adapter).Succeeded();

        Assert.Contains("after 7 steps", run.Output, StringComparison.Ordinal);
        var expected = SafetensorsFile.Open(Path.Combine(artifacts, AdapterFiles.Weights)).Tensors.Keys;
        var saved = SafetensorsFile.Open(Path.Combine(adapter, AdapterFiles.Weights)).Tensors;
        Assert.Equal(expected.Order(StringComparer.Ordinal), saved.Keys.Order(StringComparer.Ordinal));
        Assert.All(trained, t => Assert.Equal(t.ToFloat32(), saved[t.Name].ToFloat32()));
        Assert.True(double.IsFinite(Loss(place.Model, "--adapter", adapter)));
    }

    /// <summary>The same numbers from a checkpoint, from the web's flat array, and from safetensors.</summary>
    [Fact]
    public void FromEveryKindOfFile_TheAdapterIsTheSame()
    {
        var artifacts = Artifacts("lora", "--rank", "2");
        var trained = Trained(artifacts);
        Save(trained, place["every.ckpt"]);
        float[] numbers = [.. trained.SelectMany(static t => t.ToFloat32())];
        File.WriteAllBytes(place["every.bin"], MemoryMarshal.AsBytes<float>(numbers));
        SafetensorsFile.Save(place["every.safetensors"], trained.Select(static t => (t.Name, t)));

        var files = new[] { "every.ckpt", "every.bin", "every.safetensors" }.Select(name =>
        {
            var adapter = place.Fresh();
            CliRun.Of(Verb, place[name], "--artifacts", artifacts, "--out", adapter).Succeeded();
            return Convert.ToHexString(File.ReadAllBytes(Path.Combine(adapter, AdapterFiles.Weights)));
        }).ToArray();

        Assert.Single(files.Distinct());
    }

    [Fact]
    public void WithAConfigurationFile_NeedsNoArtifacts()
    {
        var artifacts = Artifacts("lora", "--rank", "2");
        Save(Trained(artifacts), place["alone.ckpt"]);
        var (config, adapter) = (Path.Combine(artifacts, AdapterFiles.Config), place.Fresh());

        CliRun.Of(Verb, place["alone.ckpt"], "--peft-config", config, "--base", place.Model, "--out", adapter)
            .Succeeded();

        Assert.True(double.IsFinite(Loss(place.Model, "--adapter", adapter)));
    }

    [Fact]
    public void WithMerge_TheMergedModelAnswersAsTheAdapterDoes()
    {
        var artifacts = Artifacts("lora", "--rank", "2");
        Save(Trained(artifacts), place["merge.ckpt"]);
        var (adapter, merged) = (place.Fresh(), place.Fresh());
        string[] files = [place["merge.ckpt"], "--artifacts", artifacts, "--out", adapter];

        var json = CliRun.Of([Verb, .. files, "--base", place.Model, "--merge", merged, "--json"]).Succeeded().Json;

        Assert.Equal(merged, (string?)json["merged"]);
        Assert.Equal(7, (long)json["step"]!);
        Assert.InRange((double)json["largest_logit_difference"]!, 0, 1e-4);
        var (with, without) = (Loss(place.Model, "--adapter", adapter), Loss(place.Model));
        Assert.NotEqual(without, with, 1e-3);
        Assert.Equal(with, Loss(merged), 1e-5);
    }

    [Theory]
    [InlineData("p-tuning", "encoder_hidden_size=16")]
    [InlineData("prefix-tuning", "prefix_projection=true")]
    public void WithAnEncoder_ItsResultIsSaved_ByTheArtifactsOrTheBase(string method, string field)
    {
        var artifacts = Artifacts(method, "--num-virtual-tokens", "3", "--set", field);
        Save(Trained(artifacts), place[$"{method}.ckpt"]);
        var (alone, withBase, config) = (place.Fresh(), place.Fresh(), Path.Combine(artifacts, AdapterFiles.Config));
        string[] words = [Verb, place[$"{method}.ckpt"], "--artifacts", artifacts];

        CliRun.Of([.. words, "--out", alone]).Succeeded();
        CliRun.Of([.. words, "--out", withBase, "--base", place.Model]).Succeeded();
        CliRun.Of(Verb, place[$"{method}.ckpt"], "--peft-config", config, "--out", place.Fresh())
            .Refused(2, "encoder", "--base");

        var (saved, expected) = (Prompt(alone), Prompt(withBase));
        Assert.Equal(expected.Dims.ToArray(), saved.Dims.ToArray());
        Assert.All(expected.ToFloat32().Zip(saved.ToFloat32()), static p => Assert.Equal(p.First, p.Second, 1e-4f));
        Assert.True(double.IsFinite(Loss(place.Model, "--adapter", alone)));
    }

    [Fact]
    public void WithWhatDoesNotFit_SaysWhatToGive()
    {
        var artifacts = Artifacts("lora", "--rank", "2");
        var others = Artifacts("lora", "--rank", "3");
        Save(Trained(artifacts), place["fit.ckpt"]);
        var (checkpoint, config) = (place["fit.ckpt"], Path.Combine(others, AdapterFiles.Config));
        string[] output = ["--out", place.Fresh()];

        CliRun.Of([Verb, checkpoint, .. output]).Refused(2, "--artifacts", "--peft-config");
        CliRun.Of([Verb, place["no.ckpt"], .. output]).Refused(2, "no.ckpt", "does not exist");
        CliRun.Of([Verb, checkpoint, "--artifacts", others, .. output]).Refused(2, "fit.ckpt", "trained with");
        CliRun.Of([Verb, checkpoint, "--artifacts", others, "--peft-config", config, .. output]).Refused(2, "give one");
        CliRun.Of([Verb, checkpoint, "--artifacts", artifacts, "--merge", "x", .. output]).Refused(2, "--base");
        CliRun.Of([Verb, checkpoint, "--peft-config", config, "--base", place.Model, .. output])
            .Refused(2, "fit.ckpt", "rank");
        CliRun.Of([Verb, place.Rows, "--artifacts", artifacts, .. output]).Refused(2, "not a checkpoint");
        Assert.False(Directory.Exists(output[1]));
    }

    /// <summary>A configuration alone does not bring the projections that VeRA's vectors scale.</summary>
    [Fact]
    public void WithoutVerasProjections_SaysWhatIsMissing()
    {
        var artifacts = Artifacts("vera", "--rank", "4");
        Save(Trained(artifacts), place["vera.ckpt"]);
        string[] words = [Verb, place["vera.ckpt"], "--peft-config", Path.Combine(artifacts, AdapterFiles.Config)];

        CliRun.Of([.. words, "--out", place.Fresh()]).Refused(2, "vera.ckpt", "'base_model.vera_A' is missing");
        CliRun.Of([.. words, "--out", place.Fresh(), "--base", place.Model]).Refused(2, "vera.ckpt", "vera_A");
    }

    [Fact]
    public void OfARunThatDiverged_SaysSo()
    {
        var artifacts = Artifacts("lora", "--rank", "2");
        var trained = Trained(artifacts);
        var numbers = trained[1].ToFloat32();
        numbers[^1] = float.NaN;
        trained[1] = Tensor.Of<float>(numbers, trained[1].Dims.AsSpan()).WithName(trained[1].Name);
        Save(trained, place["nan.ckpt"]);

        CliRun.Of(Verb, place["nan.ckpt"], "--artifacts", artifacts, "--out", place.Fresh())
            .Refused(2, "nan.ckpt", trained[1].Name, "not finite");
    }

    [Fact]
    public void OverAnAdapter_AsksForOverwrite()
    {
        var artifacts = Artifacts("lora", "--rank", "2");
        Save(Trained(artifacts), place["over.ckpt"]);
        string[] words = [Verb, place["over.ckpt"], "--artifacts", artifacts, "--out", place.Fresh()];
        CliRun.Of(words).Succeeded();

        CliRun.Of(words).Refused(2, "holds adapter_model.safetensors already", "--overwrite");
        CliRun.Of([.. words, "--overwrite"]).Succeeded();
    }

    private string Artifacts(string method, params string[] options) => Artifacts([method, .. options]);

    private string Artifacts(string[] method)
    {
        var folder = place.Fresh();
        CliRun.Of(["artifacts", place.Model, "--out", folder, "--method", .. method]).Succeeded();
        return folder;
    }

    /// <summary>The artifacts' parameters as a run might leave them: in order, every number moved a little.</summary>
    private static List<Tensor> Trained(string artifacts)
    {
        var initial = SafetensorsFile.Open(Path.Combine(artifacts, AdapterFiles.Weights));
        var parameters = ArtifactManifest.Load(artifacts).Parameters;
        return [.. parameters.Select(p => Moved(initial[p.Name]).WithName(p.Name))];
    }

    private static Tensor Moved(Tensor tensor)
    {
        float[] values = [.. tensor.ToFloat32().Select(static (value, i) => value + (0.3f * MathF.Sin(i + 1)))];
        return Tensor.Of<float>(values, tensor.Dims.AsSpan());
    }

    /// <summary>The one tensor of a prompt's file.</summary>
    private static Tensor Prompt(string adapter) =>
        Assert.Single(SafetensorsFile.Open(Path.Combine(adapter, AdapterFiles.Weights)).Tensors).Value;

    private static void Save(IReadOnlyList<Tensor> trained, string path) => new OrtCheckpoint
    {
        Trainable = trained,
        OptimizerGroups = [new() { Step = 7 }],
    }.Save(path);

    private double Loss(string model, params string[] options) =>
        (double)CliRun.Of(["eval", model, "--data", place.Rows, "--json", .. options]).Succeeded().Json["loss"]!;
}
