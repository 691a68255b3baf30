using System.Text.Json.Nodes;
using OrtPeft.Adapters;
using OrtPeft.Artifacts;
using OrtPeft.Cli.Data;
using OrtPeft.Cli.Errors;
using OrtPeft.Cli.Files;
using OrtPeft.Cli.Options;
using OrtPeft.Cli.Reporting;
using OrtPeft.Compilation.Objectives;
using OrtPeft.Models.Checkpoints;
using OrtPeft.Onnx;
using OrtPeft.Runtime.Sessions;
using OrtPeft.Training;

namespace OrtPeft.Cli.Commands;

/// <summary>Writes what other programs train an adapter with, without OrtPeft.</summary>
internal sealed class ArtifactsCommand : Verb
{
    private readonly ModelArgument _model = new();
    private readonly OutputOptions _output = new($"the models, the initial weights and {ArtifactManifest.FileName}");
    private readonly MethodOptions _method = new();
    private readonly TokenizerOption _tokenizer = new();
    private readonly ArtifactOptions _artifacts = new();

    [System.Diagnostics.CodeAnalysis.SetsRequiredMembers]
    public ArtifactsCommand(Host host)
        : base(host, "artifacts", "Export training graphs so that an app, in any language, can train an adapter.")
    {
        Examples =
        [
            "ortpeft artifacts gpt2-onnx --out gpt2-lora --rank 8 --alpha 16 --target c_attn",
            "ortpeft artifacts gpt2-onnx --out gpt2-lora --init-adapter adapter --frozen-weights file --overwrite",
            "ortpeft artifacts gpt2-onnx --out web --provider webgpu --rank 8 --alpha 16",
            "ortpeft artifacts gpt2-onnx --out web --runtime ort-training --fold-lr 2e-4 --rank 8 --alpha 16",
        ];
        Notes = $"The folder holds all it needs and can be moved; {ArtifactManifest.FileName} names every input, "
            + "output and parameter.\nWith --runtime ort it is an adapter folder as well, and `ortpeft train` "
            + "accepts it as a model.\n--provider names the execution provider they will train on: operators that it lacks are "
            + "replaced, and on devices positions without a label are masked.\nThe app gives one learning rate at each step: --loraplus-lr-embedding, a rate of its own, is "
            + "`ortpeft train`'s alone.";
        Arguments.Add(_model);
        Add(_output);
        Add(_method);
        Options.Add(_tokenizer);
        Add(_artifacts);
    }

    /// <summary>It names where the artifacts will train.</summary>
    protected override bool RunsOnProvider => false;

    protected override void Run(Invocation run)
    {
        var (writer, arguments) = (_artifacts.Writer(run), _artifacts.Read(run));
        var choice = _method.Choose(run);
        if (choice.RowStart is { } start)
        {
            throw new UsageException(
                $"{choice.Origin}: the start {start} is made from rows, which artifacts have none of; train a step "
                + "with it, and give that adapter with --init-adapter.");
        }

        var source = _model.Open(run);
        var path = _output.PathBeside(run, source);
        using var folder = _output.Open(
            run,
            FolderFiles.OfArtifacts(source.Folder),
            InputFiles.Of(source).Concat(InputFiles.In(choice.WeightsFolder ?? "")));
        var peft = choice.For(source)
            .WithTokens(_tokenizer.Find(run, source), _tokenizer.FolderFor(run, source))
            .Apply(source.Model, arguments.Seed);
        run.Say(peft.DescribeTrainableParameters());
        if (ModelVerdict.Of(peft, new RuntimeOptions { Threads = run.Runtime.Threads }).Reason is { } reason)
            throw new GraphException($"This graph does not train: {reason}");
        var settings = _artifacts.Settings(run, arguments) with
        {
            Base = new ArtifactBase
            {
                Name = run.Get(_model),
                ContextLength = ModelLimits.ContextLength(source, peft.ReservedPositions) + peft.ReservedPositions,
                VocabularySize = source.VocabularySize,
            },
        };
        var bytes = peft.Model.Graph.Initializers.Sum(static v => v.Initializer!.Data.Length);
        WritingReport.Follow(run, folder.Stage, bytes, () => writer.Write(
            peft, new CausalLm(), settings, folder.Stage));
        HfCheckpoint.CopyCompanions(source.Folder, folder.Stage);
        string[] files = [.. Directory.EnumerateFiles(folder.Stage).Select(Path.GetFileName).Order()!];
        var written = files.Sum(f => new FileInfo(Path.Combine(folder.Stage, f)).Length);
        folder.Keep();
        run.Say($"Wrote {path}: {string.Join(", ", files)}; {Human.Bytes(written)}.");
        run.Answer(new()
        {
            ["out"] = path,
            ["runtime"] = writer.Name,
            ["method"] = peft.Config.PeftType,
            ["trainable_parameters"] = peft.TrainableParameterCount,
            ["total_parameters"] = peft.TotalParameterCount,
            ["bytes"] = written,
            ["files"] = new JsonArray([.. files.Select(static f => (JsonNode?)f)]),
        });
    }
}
