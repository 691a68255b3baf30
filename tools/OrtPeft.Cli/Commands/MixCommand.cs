using System.CommandLine;
using System.Text.Json.Nodes;
using OrtPeft.Adapters;
using OrtPeft.Adapters.Lora;
using OrtPeft.Adapters.Weighted;
using OrtPeft.Cli.Errors;
using OrtPeft.Cli.Files;
using OrtPeft.Cli.Options;
using OrtPeft.Cli.Reporting;

namespace OrtPeft.Cli.Commands;

/// <summary>Makes one LoRA adapter of several.</summary>
internal sealed class MixCommand : Verb
{
    private static readonly WeightedCombination Defaults = new();

    private readonly ModelArgument _model = new();
    private readonly OutputOptions _output = new("the new adapter");

    private readonly Option<string[]> _adapters = new("--adapter")
    {
        Description = "A LoRA adapter's folder and its weight, which may be negative; 1 by default. Repeat for each "
            + "adapter.",
        HelpName = "DIR[=WEIGHT]",
        Required = true,
    };

    private readonly Option<string> _type = new("--type")
    {
        Description = $"How to combine them: {string.Join(", ", WeightedCombination.CombinationTypes)}.",
        HelpName = "NAME",
        DefaultValueFactory = static _ => Defaults.CombinationType,
    };

    private readonly Option<int?> _rank = NumberOption.Optional<int>(
        "--svd-rank", "Rank after svd and …_svd. [default: the largest rank of the adapters]", "R");

    private readonly Option<double?> _density = NumberOption.Optional<double>(
        "--density", "Fraction of each tensor that ties, dare_… and magnitude_prune keep, above 0 up to 1.", "D");

    private readonly Option<string> _sign = new("--majority-sign")
    {
        Description = "How ties elects a sign: total, by the sum of the values, or frequency, by the number of "
            + "adapters.",
        HelpName = "total|frequency",
        DefaultValueFactory = static _ => Defaults.MajoritySignMethod,
    };

    private readonly Option<long> _seed = NumberOption.Of("--seed", "Fixes what dare_… drops.", "N", Defaults.Seed);

    [System.Diagnostics.CodeAnalysis.SetsRequiredMembers]
    public MixCommand(Host host)
        : base(host, "mix", "Combine several LoRA adapters into one, with weights.")
    {
        Examples =
        [
            "ortpeft mix gpt2-onnx --adapter style=0.7 --adapter task=0.3 --out mixed",
            "ortpeft mix gpt2-onnx --adapter style --adapter task=-0.5 --type cat --out mixed",
            "ortpeft mix gpt2-onnx --adapter style --adapter task --type ties --density 0.2 --out mixed",
        ];
        Notes =
            "cat, and svd of sufficient rank, give the exact sum; linear, ties, dare_… and magnitude_prune combine A "
            + "and B separately, as HF PEFT does, and need equal ranks; with the suffix _svd they combine the "
            + "products B·A.";
        Arguments.Add(_model);
        Options.Add(_adapters);
        foreach (var option in (Option[])[_type, _rank, _density, _sign, _seed])
            Options.Add(option);
        Add(_output);
    }

    protected override void Run(Invocation run)
    {
        var given = run.Get(_adapters).Select(AdapterWeight.Parse).ToList();
        var how = How(run, given.Count);
        var places = AdapterPlace.Of([.. given.Select(static g => g.Folder)]);
        var source = _model.Open(run);
        using var folder = _output.Open(
            run, FolderFiles.OfAdapter, places.SelectMany(static p => InputFiles.In(p.Folder)));
        var peft = AdapterOption.Load(source.Model, places, run);
        const string Name = "ortpeft-mix";
        peft.AddWeightedAdapter(Name, [.. places.Zip(given, static (p, g) => (p.Name, g.Weight))], how);
        var mixed = (LoraConfig)peft.Adapters.ConfigOf(Name);
        var config = mixed with { BaseModelNameOrPath = mixed.BaseModelNameOrPath ?? source.HfName };
        AdapterFolder.Save(folder.Stage, config, peft.Adapters.WeightsOf(Name));
        folder.Keep();
        run.Say($"Wrote {_output.PathOf(run)}: {how.CombinationType} of {Human.Count(places.Count, "adapter")}, "
            + $"rank {config.R}.");
        run.Answer(new()
        {
            ["out"] = _output.PathOf(run),
            ["type"] = how.CombinationType,
            ["rank"] = config.R,
            ["adapters"] = new JsonArray([.. places.Zip(given, static (p, g) => (JsonNode)new JsonObject
            {
                ["folder"] = p.Folder,
                ["weight"] = g.Weight,
            })]),
        });
    }

    /// <summary>One adapter alone is multiplied by its weight, whichever way is named.</summary>
    private WeightedCombination How(Invocation run, int adapters)
    {
        var useless = ((Option[])[_type, _rank, _density, _sign]).FirstOrDefault(run.Has);
        if (adapters == 1 && useless is not null)
            throw new UsageException($"{useless.Name} needs two adapters; give another --adapter, or leave it out.");
        return new WeightedCombination
        {
            CombinationType = adapters == 1 ? "linear" : run.Get(_type),
            SvdRank = run.Get(_rank),
            Density = run.Get(_density),
            MajoritySignMethod = run.Get(_sign),
            Seed = run.Get(_seed),
        };
    }
}
