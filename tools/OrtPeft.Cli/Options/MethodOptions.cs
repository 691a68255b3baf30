using System.CommandLine;
using System.Text.Json.Nodes;
using OrtPeft.Adapters;
using OrtPeft.Adapters.Configuration;
using OrtPeft.Adapters.Lora;
using OrtPeft.Cli.Commands;
using OrtPeft.Cli.Errors;
using OrtPeft.Cli.Reporting;

namespace OrtPeft.Cli.Options;

/// <summary>
/// Which PEFT method, and how it is configured. Every option stands for a field of HF PEFT's
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

    private readonly Option<int?> _rank = NumberOption.Optional<int>(
        "--rank", "The rank r of low-rank methods. [default: 8]", "R");

    private readonly Option<double?> _alpha = NumberOption.Optional<double>(
        "--alpha", "Low-rank methods scale by alpha / rank. [default: 2 · rank where --rank is given, else 8]", "A");

    private readonly Option<string?> _promptText = Text(
        "--prompt-init-text", "Prompt tuning starts from the embeddings of this text. [default: random]", "TEXT");

    private readonly Option<string[]> _set = new("--set")
    {
        Description = "Any other field of the method's adapter_config.json; repeat for more.",
        HelpName = "FIELD=VALUE",
    };

    private readonly Option<string?> _configFile = new("--peft-config")
    {
        Description = "Take method and fields from this adapter_config.json.",
        HelpName = "FILE",
    };

    private readonly Option<string?> _initAdapter = new("--init-adapter")
    {
        Description = "Start from this adapter's weights, and from its adapter_config.json where it has one.",
        HelpName = "DIR",
    };

    private readonly (Option Option, string Field, Func<Invocation, JsonNode?> Value)[] _fields;

    public MethodOptions()
    {
        var dropout = NumberOption.Optional<double>(
            "--dropout", "The probability that a feature is dropped. [default: 0]", "P");
        var target = Text(
            "--target", "Name endings such as c_attn,c_proj, a regular expression, or all-linear.", "NAMES");
        var bias = Text(
            "--bias", "Biases of the base that train too: none, all or lora_only. [default: none]", "WHICH");
        var rslora = new Option<bool>("--rslora") { Description = "Scale by alpha / √rank instead of alpha / rank." };
        var dora = new Option<bool>("--dora") { Description = "Train a magnitude per output too (DoRA)." };
        var init = Text(
            "--init", $"How LoRA's A and B start: {string.Join(", ", LoraInit.Names)}. [default: true]", "NAME");
        var ranks = Text("--rank-pattern", "Ranks of single modules: c_proj=4,h.0.attn.c_attn=16.", "NAME=R,...");
        var alphas = Text("--alpha-pattern", "Alphas of single modules.", "NAME=A,...");
        var layers = Text("--layers", "Only the layers of these numbers, from 0: 10,11.", "N,...");
        var preset = Text(
            "--preset",
            "Bottleneck adapters: houlsby, pfeiffer, parallel or scaled_parallel. [default: houlsby]",
            "NAME");
        var reduction = NumberOption.Optional<double>(
            "--reduction-factor", "Bottleneck adapters have hidden size / K features inside. [default: 16]", "K");
        var nonLinearity = Text(
            "--non-linearity", "Bottleneck adapters: relu, gelu, gelu_new, swish, tanh, … [default: swish]", "NAME");
        var virtualTokens = NumberOption.Optional<int>(
            "--num-virtual-tokens", "Virtual tokens of prompt, p- and prefix tuning. [default: 20]", "P");
        _fields =
        [
            (_rank, "r", run => run.Get(_rank)),
            (_alpha, "lora_alpha", run => run.Get(_alpha)),
            (dropout, "lora_dropout", run => run.Get(dropout)),
            (target, "target_modules", run => FieldText.Targets(run.Get(target)!)),
            (bias, "bias", run => run.Get(bias)),
            (rslora, "use_rslora", run => run.Get(rslora)),
            (dora, "use_dora", run => run.Get(dora)),
            (init, "init_lora_weights", run => FieldText.Assignment($"init={run.Get(init)}").Value),
            (ranks, "rank_pattern", run => FieldText.Pattern(ranks.Name, run.Get(ranks)!)),
            (alphas, "alpha_pattern", run => FieldText.Pattern(alphas.Name, run.Get(alphas)!)),
            (preset, "preset", run => run.Get(preset)),
            (reduction, "reduction_factor", run => run.Get(reduction)),
            (nonLinearity, "non_linearity", run => run.Get(nonLinearity)),
            (layers, "layers_to_transform", run => FieldText.WholeNumbers(layers.Name, run.Get(layers)!)),
            (virtualTokens, "num_virtual_tokens", run => run.Get(virtualTokens)),
            (_promptText, "prompt_tuning_init_text", run => run.Get(_promptText)),
        ];
    }

    public IEnumerable<Option> Options =>
        [_method, .. _fields.Select(static f => f.Option), _set, _configFile, _initAdapter];

    /// <summary>Whether the user chose a method in any way.</summary>
    public bool IsGiven(Invocation run) => Options.Any(run.Has);

    /// <summary>Reads the choice and checks it as a file would be checked.</summary>
    public MethodChoice Choose(Invocation run)
    {
        var weights = run.Get(_initAdapter);
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
        var method = PeftMethods.Named(run.Get(_method));
        var json = new JsonObject { ["peft_type"] = method.Description.PeftType, ["task_type"] = "CAUSAL_LM" };
        foreach (var (_, field, value) in _fields.Where(f => run.Has(f.Option)))
            json[FieldOf(method, field)] = value(run);
        if (run.Get(_rank) is { } rank && !run.Has(_alpha) && method.Description.AlphaField is { } alpha)
            json[alpha] = 2 * rank;
        if (run.Has(_promptText))
            json["prompt_tuning_init"] = "TEXT";
        var given = new HashSet<string>(_fields.Where(f => run.Has(f.Option)).Select(f => FieldOf(method, f.Field)))
        {
            "peft_type",
        };
        foreach (var (field, value) in (run.Get(_set) ?? []).Select(FieldText.Assignment))
        {
            if (!given.Add(field))
                throw new UsageException($"--set {field} is given, and {OtherOf(run, method, field)} too; give one.");
            json[field] = value;
        }

        // Written and read once, so that numbers are JSON's and not of the type they were made from.
        var fields = new ConfigFields(JsonNode.Parse(json.ToJsonString())!.AsObject(), Origin(run));
        return AllKnown(run, method, PeftMethods.Read(fields, Origin(run)));
    }

    /// <summary>What else says the value of a field that --set gives.</summary>
    private string OtherOf(Invocation run, IPeftMethod method, string field) => field == "peft_type"
        ? _method.Name
        : _fields.FirstOrDefault(f => FieldOf(method, f.Field) == field && run.Has(f.Option)).Option?.Name
            ?? $"another {_set.Name} {field}";

    /// <summary>Two options stand for fields that HF PEFT names after the method; the table has LoRA's.</summary>
    private static string FieldOf(IPeftMethod method, string field) => field switch
    {
        "lora_alpha" => method.Description.AlphaField ?? field,
        "lora_dropout" => method.Description.DropoutField,
        _ => field,
    };

    /// <summary>A field that the method does not read is a mistake here, though files may have more fields.</summary>
    private PeftConfig AllKnown(Invocation run, IPeftMethod method, PeftConfig config)
    {
        if (config.Unknown.Count == 0)
            return config;
        var unknown = config.Unknown.First().Key;
        var option = _fields.FirstOrDefault(f => FieldOf(method, f.Field) == unknown && run.Has(f.Option)).Option;
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

    private static Option<string?> Text(string name, string description, string kind) =>
        new(name) { Description = description, HelpName = kind };
}
