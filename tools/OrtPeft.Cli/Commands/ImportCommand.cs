using System.CommandLine;
using OrtPeft.Cli.Files;
using OrtPeft.Cli.Options;
using OrtPeft.Cli.Reporting;
using OrtPeft.Models;
using OrtPeft.Models.Checkpoints;
using OrtPeft.Tensors.Safetensors;

namespace OrtPeft.Cli.Commands;

/// <summary>Turns an HF folder or a GGUF file into an ONNX folder.</summary>
internal sealed class ImportCommand : Verb
{
    private readonly Argument<string> _source = new("source")
    {
        Description = $"A folder with {ModelFamilies.ConfigFileName} and {SafetensorsCheckpoint.FileName}, or a .gguf file.",
    };

    private readonly Option<bool> _float = new("--float")
    {
        Description = "Make matrices that the files hold in few bits float32. They stay in few bits by default, where blocks "
            + "of integers can hold them.",
    };

    private readonly OutputOptions _output = new($"{ModelSource.ModelFileName}, its weights and the tokenizer's files");

    [System.Diagnostics.CodeAnalysis.SetsRequiredMembers]
    public ImportCommand(Host host)
        : base(host, "import", "Convert an HF model folder or a GGUF file into an ONNX model folder.")
    {
        Examples = ["ortpeft import gpt2 --out gpt2-onnx", "ortpeft import model-q8_0.gguf --out model-onnx"];
        Arguments.Add(_source);
        Options.Add(_float);
        Add(_output);
    }

    protected override void Run(Invocation run)
    {
        var source = run.Get(_source);
        var checkpoint = HfCheckpoint.Open(source, run.Note);
        var bytes = checkpoint.Weights.Values.Sum(static w => w.Data.Length);
        _ = _output.PathBeside(run, source);
        var inputs = checkpoint.Weights.Values.SelectMany(static w => w.Data.Files).Select(static f => f.Path);
        using var folder = _output.Open(run, FolderFiles.OfModelWith(checkpoint.CompanionNames), inputs.Distinct());
        var stage = folder.Stage;
        WritingReport.Follow(run, stage, bytes, () => HfCheckpoint.Import(source, stage, asFloat: run.Get(_float)));
        folder.Keep();
        var path = Path.Combine(_output.PathOf(run), ModelSource.ModelFileName);
        run.Say($"Wrote {path}: {checkpoint.Config.ModelType}, {Human.Bytes(bytes)} of weights.");
        run.Answer(new() { ["model"] = path, ["model_type"] = checkpoint.Config.ModelType, ["weight_bytes"] = bytes });
    }
}
