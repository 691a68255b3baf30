using System.Text.Json.Nodes;
using OrtPeft.Cli.Exports;
using OrtPeft.Cli.Files;
using OrtPeft.Cli.Options;

namespace OrtPeft.Cli.Commands;

/// <summary>Writes a model and its adapters in the form that others run.</summary>
internal sealed class ExportCommand : Verb
{
    private readonly ModelArgument _model = new();

    private readonly AdapterOption _adapter = new()
    {
        Description = "A folder with an adapter, and the name that its file gets; the folder's own name when left out. Repeat "
            + "for several.",
        HelpName = "[NAME=]DIR",
    };

    private readonly ExportOptions _export = new();
    private readonly OutputOptions _output = new("what is exported");

    [System.Diagnostics.CodeAnalysis.SetsRequiredMembers]
    public ExportCommand(Host host)
        : base(host, "export", "Write a model and its adapters in the form that another runtime takes, and let that runtime "
            + "prove it.")
    {
        Examples =
        [
            "ortpeft export llama-int4 --adapter chat=adapter --format onnx-adapter --out app",
            "ortpeft export llama --adapter adapter --format genai --out llama-genai",
            "ortpeft export llama --adapter adapter --format foundry-local --name my-llama --out my-llama",
            "ortpeft export llama --adapter adapter --format gguf --outtype q8_0 --out llama-gguf",
        ];
        Notes = string.Join('\n', ExportFormat.All.Select(static f => $"{f.Name}: {f.Writes}."));
        Arguments.Add(_model);
        Options.Add(_adapter);
        Add(_export);
        Add(_output);
    }

    protected override void Run(Invocation run)
    {
        var format = _export.FormatOf(run);
        var source = _model.Open(run);
        var path = _output.PathBeside(run, source);
        var given = run.Get(_adapter) is { Length: > 0 } folders ? AdapterPlace.Named(folders) : [];
        var job = _export.Read(run, new ExportJob(run, source, given));
        var inputs = InputFiles.Of(source).Concat(given.SelectMany(static p => InputFiles.In(p.Folder)));
        using var folder = _output.Open(run, format.Files(job), inputs);
        var exported = format.Write(job, folder.Stage);
        folder.Keep();
        run.Say($"Wrote {path}: {exported.Lines[0]}");
        foreach (var line in exported.Lines.Skip(1))
            run.Say(line);
        var answer = new JsonObject { ["out"] = path, ["format"] = format.Name };
        foreach (var (name, fact) in exported.Facts)
            answer[name] = fact?.DeepClone();
        run.Answer(answer);
    }
}
