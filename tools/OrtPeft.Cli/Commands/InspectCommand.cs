using System.Text.Json.Nodes;
using OrtPeft.Adapters.Inspection;
using OrtPeft.Cli.Data;
using OrtPeft.Cli.Errors;
using OrtPeft.Cli.Options;
using OrtPeft.Cli.Reporting;
using OrtPeft.Compilation;
using OrtPeft.Models;
using OrtPeft.Onnx;
using OrtPeft.Tokenizers;
using OrtPeft.Training;

namespace OrtPeft.Cli.Commands;

/// <summary>Says whether a model trains, what it is made of, and what a method would train in it.</summary>
internal sealed class InspectCommand : Verb
{
    private readonly ModelArgument _model = new();
    private readonly MethodOptions _method = new();

    [System.Diagnostics.CodeAnalysis.SetsRequiredMembers]
    public InspectCommand(Host host)
        : base(host, "inspect", "Check whether a model can be fine-tuned; list its inputs, outputs, layers and "
            + "trainable parameters.")
    {
        Examples =
        [
            "ortpeft inspect gpt2-onnx",
            "ortpeft inspect model.onnx --method lora --rank 16 --target all-linear",
            "ortpeft inspect gpt2-onnx --json",
        ];
        Notes = "Exits with 0 if the model can be trained and with 2 if not; the report is printed either way.";
        Arguments.Add(_model);
        Add(_method);
    }

    protected override void Run(Invocation run)
    {
        var source = _model.Open(run);
        var inspection = ModelInspection.Of(source.Model);
        var report = new ModelReport(run.Get(_model), source.Model, inspection);
        var method = Method(run, source, inspection);
        if (method is { Trains: true, Peft: { } peft })
        {
            LoraOfBase.Warn(run, peft);
            NamelessModules.Warn(run, peft);
        }

        var uses = new UseReport(source.Model, method.Peft);
        foreach (var line in report.Lines().Concat(method.Lines()).Concat(uses.Lines()).Prepend(method.Verdict))
            run.Say(line);
        var json = new JsonObject { ["trains"] = method.Trains, ["verdict"] = method.Verdict };
        uses.AddTo(json);
        foreach (var (name, value) in report.ToJson())
            json[name] = value?.DeepClone();
        json["method"] = method.ToJson();
        run.Answer(json);
        if (!method.Trains)
            throw new UsageException($"{run.Get(_model)}: {method.Verdict}");
    }

    /// <summary>A method that does not fit is an error where it was asked for, a fact where it is a default.</summary>
    private MethodReport Method(Invocation run, ModelSource source, ModelInspection inspection)
    {
        try
        {
            if (inspection.Problem is { } problem)
                throw new UnsupportedOpException(problem);
            var tokenizer = TokenizerFolder.Holds(source.Folder) ? new DeferredTokenizer(source.Folder) : null;
            var peft = _method.Choose(run).WithTokens(tokenizer, source.Folder).Apply(source.Model, seed: 0);
            return new MethodReport(peft, ModelVerdict.Of(peft, run.Runtime));
        }
        catch (Exception e) when (e is UnsupportedOpException || (!_method.IsGiven(run) && IsMisfit(e)))
        {
            return new MethodReport(null, TrainingVerdict.No(e.Message));
        }
    }

    private static bool IsMisfit(Exception e) => e is UsageException or GraphException;
}
