using System.CommandLine;
using System.Text.Json.Nodes;
using OrtPeft.Adapters;
using OrtPeft.Adapters.Inspection;
using OrtPeft.Cli.Errors;
using OrtPeft.Cli.Files;
using OrtPeft.Cli.Options;
using OrtPeft.Cli.Reporting;
using OrtPeft.Cli.Words;
using OrtPeft.Models;
using OrtPeft.Tensors;

namespace OrtPeft.Cli.Commands;

/// <summary>Says what adapters on disk are, whether they fit a base, and how two differ.</summary>
internal sealed class AdaptersCommand : Verb
{
    private const string Verify = "verify";

    private readonly Dictionary<string, Action<Invocation, string[]>> _actions;
    private readonly GraphNameOptions _names = new();

    private readonly Argument<string> _action = new("action")
    {
        Description = "list finds adapters in folders and below; info describes some; verify says whether they fit a base; "
            + "diff compares two.",
    };

    private readonly Argument<string[]> _folders = new("DIR")
    {
        Description = $"Folders with {AdapterFolder.ConfigFile} and {AdapterFolder.WeightsFile}, or either file; for list, "
            + "folders with such folders in them.",
        Arity = ArgumentArity.OneOrMore,
    };

    private readonly Option<string?> _base = new("--base")
    {
        Description = "The model that verify puts the adapters on.",
        HelpName = "MODEL",
    };

    [System.Diagnostics.CodeAnalysis.SetsRequiredMembers]
    public AdaptersCommand(Host host)
        : base(host, "adapters", "List adapters, describe them, verify that they fit a base, compare two.")
    {
        Examples =
        [
            "ortpeft adapters list runs",
            "ortpeft adapters info adapter",
            "ortpeft adapters verify adapter --base gpt2-onnx",
            "ortpeft adapters diff runs/rank-8 runs/rank-16 --json",
        ];
        Notes = "Norms are Frobenius norms: for LoRA that of the change to the weight, s·B·A, else that of the module's "
            + "tensors together. Relative differences are divided by the larger norm.\n"
            + "list exits with 2 if an adapter cannot be read, verify if one does not fit; the report is printed either way. "
            + "diff exits with 0 whether they differ or not.";
        _actions = new(StringComparer.Ordinal) { ["list"] = List, ["info"] = Info, [Verify] = Fit, ["diff"] = Diff };
        Arguments.Add(_action);
        Arguments.Add(_folders);
        Options.Add(_base);
        Add(_names);
    }

    protected override void Run(Invocation run)
    {
        var name = run.Get(_action);
        if (!_actions.TryGetValue(name, out var action))
        {
            var guess = Suggestion.Nearest(name, _actions.Keys) is { } near ? $"did you mean {near}? Give" : "give";
            throw new UsageException($"'{name}' is not an action of adapters; {guess} one of {string.Join(", ", _actions.Keys)}.");
        }

        var useless = _names.Options.Prepend(_base).FirstOrDefault(run.Has);
        if (name != Verify && useless is not null)
            throw new UsageException($"{useless.Name} is for {Verify}; leave it out of adapters {name}.");
        action(run, run.Get(_folders));
    }

    private static void List(Invocation run, string[] folders)
    {
        var found = AdapterSearch.Below(folders, run.Warn).Select(Listed.Of).ToList();
        if (found.Count > 0)
        {
            foreach (var line in TextTable.Lines(found.Select(static f => f.Row()).Prepend(Listed.Titles)))
                run.Say(line);
        }

        run.Answer(new() { ["adapters"] = Objects(found.Select(static f => f.ToJson())) });
        if (found.Count == 0)
            throw new UsageException($"There is no {AdapterFolder.ConfigFile} in {string.Join(", ", folders)}, nor below.");
        var bad = found.Where(static f => f.Fault is not null).ToList();
        if (bad.Count > 0)
            throw new UsageException(bad is [var only]
                ? only.Fault!
                : $"{Human.Count(bad.Count, "adapter")} cannot be read; the first: {bad[0].Fault}");
    }

    private static void Info(Invocation run, string[] folders)
    {
        var reports = Places("info", folders).Select(static f => new AdapterReport(StoredAdapter.Open(f))).ToList();
        foreach (var report in reports)
        {
            UnknownFields.Warn(run, report.Adapter.Folder, report.Adapter.Config);
            foreach (var line in report.Lines())
                run.Say(line);
        }

        run.Answer(new() { ["adapters"] = Objects(reports.Select(static r => r.ToJson())) });
    }

    private void Fit(Invocation run, string[] folders)
    {
        var path = run.Get(_base) ?? throw new UsageException("--base is missing; give the MODEL that the adapter is for.");
        var places = Places(Verify, folders);
        var source = ModelSource.Open(path, run.Note);
        _names.ApplyTo(source.Model, run);
        var all = new JsonArray();
        var bad = new List<string>();
        Blame.On(path, () =>
        {
            foreach (var folder in places)
            {
                var fit = Fitted(run, folder, source);
                foreach (var fault in fit.Faults)
                    run.Say($"{folder}: {fault}");
                if (fit.Faults.Count == 0)
                    run.Say($"{folder} fits {path}.");
                else
                    bad.Add($"{folder} does not fit {path}: {fit.Faults[0]}{Others(fit.Faults.Count - 1)}");
                all.Add((JsonNode)new JsonObject
                {
                    ["folder"] = folder,
                    ["fits"] = fit.Faults.Count == 0,
                    ["faults"] = Texts(fit.Faults),
                    ["unmatched"] = Texts(fit.Unmatched),
                });
            }
        });
        run.Answer(new() { ["base"] = path, ["fits"] = bad.Count == 0, ["adapters"] = all });
        if (bad.Count > 0)
            throw new UsageException(
                bad.Count == 1 ? bad[0] : $"{Human.Count(bad.Count, "adapter")} do not fit; the first: {bad[0]}");
    }

    private static AdapterFit Fitted(Invocation run, string folder, ModelSource source)
    {
        try
        {
            var adapter = StoredAdapter.Open(folder);
            UnknownFields.Warn(run, folder, adapter.Config);
            var fit = AdapterFit.Of(adapter, source.Model);
            UnmatchedFields.WarningOf(run, folder)(fit.Unmatched);
            return fit;
        }
        catch (Exception e) when (e is ConfigException or OnnxFormatException)
        {
            return new AdapterFit([e.Message], []);
        }
    }

    private static void Diff(Invocation run, string[] folders)
    {
        if (Places("diff", folders) is not [var first, var second])
            throw new UsageException($"adapters diff takes two adapters; {Human.Count(folders.Length, "folder")} given.");
        var report = new AdapterDiffReport(StoredAdapter.Open(first), StoredAdapter.Open(second));
        foreach (var line in report.Lines())
            run.Say(line);
        run.Answer(report.ToJson());
    }

    private static List<string> Places(string action, string[] folders) =>
        [.. AdapterPlace.Of($"adapters {action}", folders).Select(static p => p.Folder)];

    private static string Others(int count) => count == 0 ? "" : $" ({Human.Count(count, "more fault")})";

    private static JsonArray Objects(IEnumerable<JsonObject> objects) => new([.. objects]);

    private static JsonArray Texts(IEnumerable<string> texts) => new([.. texts.Select(static t => (JsonNode)t)]);
}
