using System.CommandLine;
using System.Text.Json.Nodes;
using OrtPeft.Adapters.Modules;
using OrtPeft.Adapters.Quantization;
using OrtPeft.Cli.Errors;
using OrtPeft.Cli.Options;
using OrtPeft.Cli.Reporting;
using OrtPeft.Models;
using OrtPeft.Models.Checkpoints;
using OrtPeft.Onnx.Quantization;
using OrtPeft.Onnx.Serialization;

namespace OrtPeft.Cli.Commands;

/// <summary>Stores a model's linear layers in few bits.</summary>
internal sealed class QuantizeCommand : Verb
{
    private static readonly BlockFormat Defaults = new();

    private readonly ModelArgument _model = new();
    private readonly OutputOptions _output = new("the quantised model and the tokenizer's files");

    private readonly Option<int> _bits = NumberOption.Of("--bits", "Bits per weight.", "4|8", Defaults.Bits);

    private readonly Option<int> _blockSize = NumberOption.Of(
        "--block-size", "Neighbouring weights that share a scale.", "32|64|128", Defaults.BlockSize);

    private readonly Option<bool> _symmetric = new("--symmetric") { Description = "No zero points. This is the default." };

    private readonly Option<bool> _asymmetric = new("--asymmetric")
    {
        Description = "A zero point per block: a little larger, a little closer.",
    };

    private readonly Option<string?> _target = new("--target")
    {
        Description = "The layers: name endings such as c_attn,c_proj, a regular expression, or all-linear, which is all "
            + "but the head. [default: all-linear]",
        HelpName = "NAMES",
    };

    [System.Diagnostics.CodeAnalysis.SetsRequiredMembers]
    public QuantizeCommand(Host host)
        : base(host, "quantize", "Store a model's linear layers in 4 or 8 bits, as a small base for adapters.")
    {
        Examples =
        [
            "ortpeft quantize gpt2-onnx --out gpt2-int4",
            "ortpeft quantize gpt2-onnx --bits 8 --block-size 128 --asymmetric --out gpt2-int8",
        ];
        Arguments.Add(_model);
        Options.Add(_bits);
        Options.Add(_blockSize);
        Options.Add(_symmetric);
        Options.Add(_asymmetric);
        Options.Add(_target);
        Add(_output);
        OneOf(_bits, BlockFormat.Widths);
        OneOf(_blockSize, BlockFormat.BlockSizes);
    }

    protected override void Run(Invocation run)
    {
        if (run.Get(_symmetric) && run.Get(_asymmetric))
            throw new UsageException("--symmetric and --asymmetric exclude each other; give one.");
        var source = _model.Open(run);
        var path = _output.PathBeside(run, source);
        var format = new BlockFormat
        {
            Bits = run.Get(_bits),
            BlockSize = run.Get(_blockSize),
            IsSymmetric = !run.Get(_asymmetric),
        };
        var targets = run.Get(_target) is { } text ? ModuleTargets.Parse(text) : null;
        using var folder = _output.Open(run, ModelSource.ModelFileName);
        var result = ModelQuantizer.Quantize(source.Model, format, targets);
        var bytes = result.Model.Graph.Initializers.Sum(static v => v.Initializer!.Data.Length);
        var modelFile = Path.Combine(folder.Stage, ModelSource.ModelFileName);
        var external = new OnnxSaveOptions { ExternalData = true };
        WritingReport.Follow(run, folder.Stage, bytes, () => OnnxFile.Save(result.Model, modelFile, external));
        HfCheckpoint.CopyCompanions(source.Folder, folder.Stage);
        folder.Keep();
        Report(run, path, bytes, result.Layers);
    }

    private static void Report(Invocation run, string path, long bytes, IReadOnlyList<QuantizedLayer> layers)
    {
        var (before, after) = (layers.Sum(static l => l.FloatBytes), layers.Sum(static l => l.Bytes));
        var worst = layers.MaxBy(static l => l.RelativeError)!;
        var mean = layers.Average(static l => l.RelativeError);
        run.Say($"Quantised {Human.Count(layers.Count, "layer")}: {Human.Bytes(before)} became {Human.Bytes(after)}.");
        run.Say($"Relative RMS error of the weights: {Human.Rate(mean)} on average, {Human.Rate(worst.RelativeError)} at "
            + $"most ({worst.Name}).");
        run.Say($"Wrote {path}: {Human.Bytes(bytes)} of weights.");
        run.Answer(new()
        {
            ["out"] = path,
            ["weight_bytes"] = bytes,
            ["mean_relative_error"] = mean,
            ["largest_relative_error"] = worst.RelativeError,
            ["layers"] = new JsonArray([.. layers.Select(Row)]),
        });
    }

    private static JsonNode Row(QuantizedLayer layer) => new JsonObject
    {
        ["name"] = layer.Name,
        ["relative_error"] = layer.RelativeError,
        ["float_bytes"] = layer.FloatBytes,
        ["bytes"] = layer.Bytes,
    };

    private static void OneOf(Option<int> option, IReadOnlyList<int> allowed) => option.Validators.Add(result =>
    {
        if (result.Tokens is [var token] && int.TryParse(token.Value, out var value) && !allowed.Contains(value))
            result.AddError($"{option.Name} is '{value}'; it must be one of {string.Join(", ", allowed)}.");
    });
}
