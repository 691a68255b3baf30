using System.CommandLine;
using System.Text.Json.Nodes;
using OrtPeft.Adapters.Modules;
using OrtPeft.Adapters.Quantization;
using OrtPeft.Cli.Errors;
using OrtPeft.Cli.Files;
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
    private static readonly string[] Formats = ["int", CodeBook.NormalFloat4.Name];

    private readonly ModelArgument _model = new();
    private readonly OutputOptions _output = new("the quantised model and the tokenizer's files");

    private readonly LoftqOptions _loftq = new();

    private readonly Option<string> _format = new("--format")
    {
        Description = "int: evenly spaced levels; nf4: 4 bits, spaced like a normal distribution's quantiles (more "
            + "accurate, slower).",
        HelpName = "int|nf4",
        DefaultValueFactory = static _ => "int",
    };

    private readonly Option<int> _bits = NumberOption.Of("--bits", "Bits per weight.", "4|8", Defaults.Bits);

    private readonly Option<int> _blockSize = NumberOption.Of(
        "--block-size", "Neighbouring weights that share a scale.", "32|64|128", Defaults.BlockSize);

    private readonly Option<bool> _symmetric = new("--symmetric")
    {
        Description = "Use no zero points (the default).",
    };

    private readonly Option<bool> _asymmetric = new("--asymmetric")
    {
        Description = "Use a zero point per block: slightly larger, slightly more accurate.",
    };

    private readonly Option<string?> _target = new("--target")
    {
        Description = "The layers: name endings such as c_attn,c_proj, a regular expression, or all-linear: all "
            + "but the output layer. [default: all-linear]",
        HelpName = "NAMES",
    };

    [System.Diagnostics.CodeAnalysis.SetsRequiredMembers]
    public QuantizeCommand(Host host)
        : base(host, "quantize", "Quantize a model's linear layers to 4 or 8 bits, as a small base for adapters "
            + "(QLoRA).")
    {
        Examples =
        [
            "ortpeft quantize gpt2-onnx --out gpt2-int4",
            "ortpeft quantize gpt2-onnx --bits 8 --block-size 128 --asymmetric --out gpt2-int8",
            "ortpeft quantize gpt2-onnx --format nf4 --loftq --rank 16 --out gpt2-nf4",
        ];
        Arguments.Add(_model);
        Options.Add(_format);
        _format.Validators.Add(static result =>
        {
            if (result.Tokens is [var token] && !Formats.Contains(token.Value))
                result.AddError($"--format is '{token.Value}'; it must be one of {string.Join(", ", Formats)}.");
        });
        Options.Add(_bits);
        Options.Add(_blockSize);
        Options.Add(_symmetric);
        Options.Add(_asymmetric);
        Options.Add(_target);
        Add(_loftq);
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
        var format = FormatOf(run);
        var targets = run.Get(_target) is { } text ? ModuleTargets.Parse(text) : null;
        var loftq = _loftq.Read(run, targets);
        using var folder = _output.Open(
            run, FolderFiles.OfQuantisedModel(source.Folder, withLoftq: loftq is not null), InputFiles.Of(source));
        var start = loftq is { } adapter
            ? LoftqQuantizer.Quantize(source.Model, format, adapter.Config, adapter.Iterations)
            : null;
        var result = start?.Quantized ?? ModelQuantizer.Quantize(source.Model, format, targets);
        var bytes = result.Model.Graph.Initializers.Sum(static v => v.Initializer!.Data.Length);
        var modelFile = Path.Combine(folder.Stage, ModelSource.ModelFileName);
        var external = new OnnxSaveOptions { ExternalData = true };
        WritingReport.Follow(run, folder.Stage, bytes, () => OnnxFile.Save(result.Model, modelFile, external));
        HfCheckpoint.CopyCompanions(source.Folder, folder.Stage);
        start?.Adapter.Save(Path.Combine(folder.Stage, FolderFiles.LoftqFolder));
        folder.Keep();
        Report(run, path, bytes, result.Layers);
        if (start is not null)
            ReportAdapter(run, path, result.Layers);
        Answer(run, path, bytes, result.Layers);
    }

    private BlockFormat FormatOf(Invocation run)
    {
        var isNf4 = run.Get(_format) == CodeBook.NormalFloat4.Name;
        if (isNf4 && run.Get(_bits) != 4)
            throw new UsageException($"--format nf4 has 4 bits, and --bits is {run.Get(_bits)}; leave --bits out.");
        if (isNf4 && run.Get(_asymmetric))
            throw new UsageException("--format nf4 has no zero points, which --asymmetric asks for; leave one out.");
        return new BlockFormat
        {
            Bits = run.Get(_bits),
            BlockSize = run.Get(_blockSize),
            IsSymmetric = !run.Get(_asymmetric),
            CodeBook = isNf4 ? CodeBook.NormalFloat4 : null,
        };
    }

    private static void Report(Invocation run, string path, long bytes, IReadOnlyList<QuantizedLayer> layers)
    {
        var (before, after) = (layers.Sum(static l => l.FloatBytes), layers.Sum(static l => l.Bytes));
        var worst = layers.MaxBy(static l => l.RelativeError)!;
        var mean = layers.Average(static l => l.RelativeError);
        run.Say($"Quantised {Human.Count(layers.Count, "layer")}: {Human.Bytes(before)} became {Human.Bytes(after)}.");
        run.Say($"Relative RMS error of the weights: {Human.Rate(mean)} on average, {Human.Rate(worst.RelativeError)} "
            + $"at most ({worst.Name}).");
        run.Say($"Wrote {path}: {Human.Bytes(bytes)} of weights.");
    }

    private static void ReportAdapter(Invocation run, string path, IReadOnlyList<QuantizedLayer> layers)
    {
        var folder = Path.Combine(path, FolderFiles.LoftqFolder);
        var mean = layers.Average(static l => l.RelativeErrorWithAdapter!.Value);
        run.Say($"With the adapter in {folder} it is {Human.Rate(mean)} on average.");
        run.Say($"Train from there with: ortpeft train {path} --init-adapter {folder} …");
    }

    private static void Answer(Invocation run, string path, long bytes, IReadOnlyList<QuantizedLayer> layers) =>
        run.Answer(new()
        {
            ["out"] = path,
            ["weight_bytes"] = bytes,
            ["mean_relative_error"] = layers.Average(static l => l.RelativeError),
            ["largest_relative_error"] = layers.Max(static l => l.RelativeError),
            ["layers"] = new JsonArray([.. layers.Select(Row)]),
        });

    private static JsonNode Row(QuantizedLayer layer) => new JsonObject
    {
        ["name"] = layer.Name,
        ["relative_error"] = layer.RelativeError,
        ["relative_error_with_adapter"] = layer.RelativeErrorWithAdapter,
        ["float_bytes"] = layer.FloatBytes,
        ["bytes"] = layer.Bytes,
    };

    private static void OneOf(Option<int> option, IReadOnlyList<int> allowed) => option.Validators.Add(result =>
    {
        if (result.Tokens is [var token] && TypedNumber.TryRead(token.Value, out int value) && !allowed.Contains(value))
            result.AddError($"{option.Name} is '{value}'; it must be one of {string.Join(", ", allowed)}.");
    });
}
