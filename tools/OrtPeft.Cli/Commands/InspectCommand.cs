using OrtPeft.Adapters.Artifacts;
using OrtPeft.Cli.Data;
using OrtPeft.Cli.Errors;
using OrtPeft.Cli.Options;
using OrtPeft.Cli.Reporting;
using OrtPeft.Models;
using OrtPeft.Onnx;
using OrtPeft.Tokenizers;

namespace OrtPeft.Cli.Commands;

/// <summary>Says what a model is made of, and what a method would train in it.</summary>
internal sealed class InspectCommand : Verb
{
    private readonly ModelArgument _model = new();
    private readonly MethodOptions _method = new();

    [System.Diagnostics.CodeAnalysis.SetsRequiredMembers]
    public InspectCommand(Host host)
        : base(host, "inspect", "List inputs, outputs and adaptable modules, and what a method would train.")
    {
        Examples =
        [
            "ortpeft inspect gpt2-onnx",
            "ortpeft inspect model.onnx --method lora --rank 16 --target all-linear",
            "ortpeft inspect gpt2-onnx --json",
        ];
        Arguments.Add(_model);
        Add(_method);
    }

    protected override void Run(Invocation run)
    {
        var source = _model.Open(run);
        var report = ModelReport.Of(run.Get(_model), source.Model);
        var method = Method(run, source);
        foreach (var line in report.Lines().Concat(method.Lines()))
            run.Say(line);
        var json = report.ToJson();
        json["method"] = method.ToJson();
        run.Answer(json);
    }

    /// <summary>A method that does not fit is an error where it was asked for, a fact where it is a default.</summary>
    private MethodReport Method(Invocation run, ModelSource source)
    {
        try
        {
            var tokenizer = TokenizerFolder.Holds(source.Folder) ? new DeferredTokenizer(source.Folder) : null;
            var peft = _method.Choose(run).WithTokens(tokenizer, source.Folder).Apply(source.Model, seed: 0);
            return MethodReport.Of(peft, TrainingGraph.NodesWithoutGradient(peft));
        }
        catch (Exception e) when (!_method.IsGiven(run) && IsMisfit(e))
        {
            return MethodReport.Impossible(e.Message);
        }
    }

    private static bool IsMisfit(Exception e) => e is UsageException or UnsupportedOpException or GraphException;
}
