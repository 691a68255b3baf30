using System.CommandLine;
using System.Text.Json.Nodes;
using OrtPeft.Adapters;
using OrtPeft.Adapters.Configuration;
using OrtPeft.Cli.Errors;
using OrtPeft.Cli.Files;
using OrtPeft.Cli.Reporting;
using OrtPeft.Cli.Words;

namespace OrtPeft.Cli.Options;

/// <summary>
/// The choice of a PEFT method and its configuration. Every option stands for a field of HF PEFT's
/// <c>adapter_config.json</c>, so that one reader checks what comes from the command line and what comes from a file.
/// </summary>
internal sealed class MethodOptions : IOptionGroup
{
    private readonly Option<string> _method = new("--method")
    {
        Description = $"The method: {string.Join(", ", PeftMethods.All.Select(static m => m.Description.Name))}.",
        HelpName = "NAME",
        DefaultValueFactory = static _ => PeftMethods.All[0].Description.Name,
    };

    private readonly FieldOption[] _fields = [.. PeftMethods.Options.Select(FieldOption.Of)];

    private readonly Option<string[]> _set = new("--set")
    {
        Description = "Set any other field of the method's adapter_config.json, such as lora_bias=true (repeatable).",
        HelpName = "FIELD=VALUE",
    };

    private readonly Option<string?> _configFile = new("--peft-config")
    {
        Description = "Read the method and its fields from this adapter_config.json.",
        HelpName = "FILE",
    };

    private readonly Option<string?> _initAdapter = new("--init-adapter")
    {
        Description = "Start from this adapter's weights and, if it has one, its adapter_config.json.",
        HelpName = "DIR",
    };

    public IEnumerable<Option> Options =>
        [_method, .. _fields.Select(static f => f.Option), _set, _configFile, _initAdapter];

    /// <summary>Whether the user chose a method in any way.</summary>
    public bool IsGiven(Invocation run) => Options.Any(run.Has);

    /// <summary>Reads the choice and checks it as a file would be checked.</summary>
    public MethodChoice Choose(Invocation run)
    {
        var weights = run.Get(_initAdapter) is { } given ? AdapterPlace.FolderOf(_initAdapter.Name, given) : null;
        var file = run.Get(_configFile) ?? ConfigIn(weights);
        return file is null
            ? new MethodChoice(Origin(run), FromOptions(run), weights)
            : new MethodChoice(file, FromFile(run, file), weights)
            {
                WarnOfUnmatched = run.Has(_configFile) ? null : UnmatchedFields.WarningOf(run, file),
                WarnOfBase = weights is null ? null : model => ReplacedBase.Warn(run, weights, model),
            };
    }

    private string Origin(Invocation run) => $"{_method.Name} {run.Get(_method)}";

    private PeftConfig FromFile(Invocation run, string file)
    {
        var clash = _fields.Select(static f => f.Option).Prepend(_method).Append(_set).FirstOrDefault(run.Has);
        if (clash is null)
            return WithWarning(run, file, AdapterFolder.LoadConfig(file));
        throw new UsageException(
            $"{clash.Name} is given, but {file} configures the method; change the file, or leave the option out.");
    }

    private static PeftConfig WithWarning(Invocation run, string file, PeftConfig config)
    {
        UnknownFields.Warn(run, file, config);
        return config;
    }

    private PeftConfig FromOptions(Invocation run)
    {
        var name = run.Get(_method);
        if (MethodWords.Meant(name) is { } meant)
            throw new UsageException($"{_method.Name} {name}: there is no method of that name; {meant}");
        var method = PeftMethods.Named(name);
        var json = new JsonObject { ["peft_type"] = method.Description.PeftType, ["task_type"] = "CAUSAL_LM" };
        var options = _fields.Where(f => run.Has(f.Option)).ToList();
        foreach (var option in options)
            json[FieldOf(method, option)] = option.Value(run);
        var given = options.Select(o => FieldOf(method, o)).Append("peft_type").ToHashSet();
        foreach (var (field, value) in options.Select(o => ImpliedBy(method, o, json)).OfType<(string, JsonNode)>())
        {
            if (!given.Contains(field))
                json[field] = value;
        }

        foreach (var (field, value) in (run.Get(_set) ?? []).Select(FieldText.Assignment))
        {
            if (!given.Add(field))
                throw new UsageException($"--set {field} is given, and {OtherOf(run, method, field)} too; give one.");
            json[field] = value;
        }

        var fields = new ConfigFields(json, Origin(run));
        return AllKnown(run, method, PeftMethods.Read(fields, Origin(run)));
    }

    /// <summary>The other option that sets the field that --set gives.</summary>
    private string OtherOf(Invocation run, IPeftMethod method, string field) => field == "peft_type"
        ? _method.Name
        : _fields.FirstOrDefault(f => FieldOf(method, f) == field && run.Has(f.Option))?.Option.Name
            ?? $"another {_set.Name} {field}";

    /// <summary>The method's field for an option; where it has none, that of the method that the option is
    /// from.</summary>
    private static string FieldOf(IPeftMethod method, FieldOption option) => RowOf(method, option)?.Field
        ?? option.Row.Field;

    private static (string Field, JsonNode Value)? ImpliedBy(IPeftMethod method, FieldOption option, JsonObject json) =>
        RowOf(method, option) is { Implies: var (field, value) } row ? (field, value(json[row.Field]!)) : null;

    private static MethodOption? RowOf(IPeftMethod method, FieldOption option) =>
        method.Description.Options.FirstOrDefault(o => o.Name == option.Row.Name);

    /// <summary>A field that the method does not read is a mistake here, though files may have more fields.</summary>
    private PeftConfig AllKnown(Invocation run, IPeftMethod method, PeftConfig config)
    {
        if (config.Unknown.Count == 0)
            return config;
        var unknown = config.Unknown.First().Key;
        var option = _fields.FirstOrDefault(f => FieldOf(method, f) == unknown && run.Has(f.Option))?.Option;
        throw new UsageException(
            $"{option?.Name ?? $"--set {unknown}"} does not apply to --method {method.Description.Name}, "
            + $"which has no field '{unknown}'; leave it out.");
    }

    private static string? ConfigIn(string? folder)
    {
        if (folder is null)
            return null;
        if (!Directory.Exists(folder))
        {
            throw new UsageException(
                $"--init-adapter {folder} does not exist; give a folder with {AdapterFolder.WeightsFile}.");
        }

        var file = Path.Combine(folder, AdapterFolder.ConfigFile);
        return File.Exists(file) ? file : null;
    }
}
