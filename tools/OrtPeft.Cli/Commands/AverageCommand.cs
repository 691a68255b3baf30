using System.CommandLine;
using System.Text.Json.Nodes;
using OrtPeft.Adapters;
using OrtPeft.Adapters.Inspection;
using OrtPeft.Adapters.Lora;
using OrtPeft.Adapters.Weighted;
using OrtPeft.Cli.Errors;
using OrtPeft.Cli.Files;
using OrtPeft.Cli.Options;
using OrtPeft.Cli.Reporting;

namespace OrtPeft.Cli.Commands;

/// <summary>Averages adapters that several devices trained of one base.</summary>
internal sealed class AverageCommand : Verb
{
    private readonly Argument<string[]> _adapters = new("adapters")
    {
        Description = "Folders of adapters of one base.",
        HelpName = "DIR...",
        Arity = ArgumentArity.OneOrMore,
    };

    private readonly Option<double[]> _weights = new("--weights")
    {
        Description = "Each adapter's share, in their order, such as the number of rows it learned from. [default: equal]",
        HelpName = "W,...",
        AllowMultipleArgumentsPerToken = true,
        CustomParser = static result =>
        {
            var texts = result.Tokens.SelectMany(static t => t.Value.Split(',')).ToArray();
            var numbers = texts.Select(static t => TypedNumber.TryRead(t, out double number) ? number : double.NaN).ToArray();
            if (Array.FindIndex(numbers, static n => !(n >= 0)) is >= 0 and var wrong)
                result.AddError($"--weights has '{texts[wrong]}'; a weight is a number, 0 or more.");
            return numbers;
        },
    };

    private readonly Option<bool> _tensors = new("--tensors")
    {
        Description = "Average A and B apart, which keeps the rank and takes any method; without it, the products B·A.",
    };

    private readonly Option<int?> _rank = NumberOption.Optional<int>(
        "--svd-rank", "Keep the products' largest directions, so many. [default: the sum of the ranks, which is exact]", "R");

    private readonly OutputOptions _output = new("the new adapter");

    [System.Diagnostics.CodeAnalysis.SetsRequiredMembers]
    public AverageCommand(Host host)
        : base(host, "average", "Average adapters that several devices trained of one base.")
    {
        Examples =
        [
            "ortpeft average phone-1 phone-2 phone-3 --weights 120,80,310 --svd-rank 8 --out round-1",
            "ortpeft average phone-1 phone-2 --tensors --out round-1",
        ];
        Notes =
            "The mean of the changes B·A of each layer is exact at the sum of the ranks; --svd-rank keeps what is largest of it.\n"
            + "--tensors is exact where A is the same in all, as after training B alone.";
        Arguments.Add(_adapters);
        foreach (var option in (Option[])[_weights, _tensors, _rank])
            Options.Add(option);
        Add(_output);
    }

    protected override void Run(Invocation run)
    {
        var (folders, weights) = (run.Get(_adapters), run.Get(_weights) ?? []);
        if (weights.Length > 0 && weights.Length != folders.Length)
        {
            throw new UsageException(
                $"{_weights.Name} has {Human.Count(weights.Length, "weight")} for {Human.Count(folders.Length, "adapter")}; give one "
                + "for each.");
        }

        if (run.Get(_tensors) && run.Has(_rank))
            throw new UsageException($"{_tensors.Name} keeps the rank; leave out {_rank.Name}.");
        using var folder = _output.Open(run, FolderFiles.OfAdapter, folders.SelectMany(InputFiles.In));
        AveragedAdapter[] adapters = [.. folders.Select(StoredAdapter.Open).Select((adapter, i) => new AveragedAdapter(
            adapter.Folder, adapter.Config, adapter.Tensors, weights.Length > 0 ? weights[i] : 1))];
        var (config, tensors) = run.Get(_tensors)
            ? FederatedAverage.OfTensors(adapters)
            : FederatedAverage.OfProducts(adapters, run.Get(_rank));
        AdapterFolder.Save(folder.Stage, config, tensors);
        folder.Keep();
        var rank = (config as LoraConfig)?.R;
        run.Say($"Wrote {_output.PathOf(run)}: the mean of {Human.Count(adapters.Length, "adapter")}"
            + (rank is null ? "." : $", rank {rank}."));
        run.Answer(new()
        {
            ["out"] = _output.PathOf(run),
            ["rank"] = rank,
            ["adapters"] = new JsonArray([.. adapters.Select(static a => (JsonNode)new JsonObject
            {
                ["folder"] = a.Name,
                ["weight"] = a.Weight,
            })]),
        });
    }
}
