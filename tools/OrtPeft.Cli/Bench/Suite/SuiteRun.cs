using System.Text.Json.Nodes;

namespace OrtPeft.Cli.Bench.Suite;

/// <summary>
/// Runs the suite's cases one after the other, round by round, so that what else the machine does meets all of them.
/// </summary>
/// <param name="cases">The cases.</param>
/// <param name="place">The folder of the models; those that are missing are made.</param>
/// <param name="options">Options that every run of <c>bench</c> gets, unless its case has them.</param>
/// <param name="run">Runs a verb, with a variable of the environment set to 0, and gives what it wrote.</param>
internal sealed class SuiteRun(
    IReadOnlyList<SuiteCase> cases, string place, IReadOnlyList<string> options, Func<string[], string?, string> run)
{
    /// <summary>Runs all cases.</summary>
    /// <param name="rounds">How many times, 1 or more.</param>
    /// <param name="progress">Told before each run.</param>
    /// <returns>Each case's figures, in the order of the rounds.</returns>
    public IReadOnlyDictionary<SuiteCase, IReadOnlyList<SuiteFigures>> Run(int rounds, Action<string> progress)
    {
        Directory.CreateDirectory(place);
        foreach (var model in cases.Select(static c => c.Model).Distinct())
        {
            if (!Directory.Exists(Path.Combine(place, model.Folder)))
                progress($"making {model.Folder}");
            model.Make(place, arguments => run(arguments, null));
        }

        var figures = cases.ToDictionary(static c => c, static _ => new List<SuiteFigures>());
        for (var round = 1; round <= rounds; round++)
        {
            foreach (var one in cases)
            {
                progress($"round {round} of {rounds}: {one.Name}, {one.Variant}");
                figures[one].Add(Figures(run(Arguments(one), one.TurnedOff)));
            }
        }

        return figures.ToDictionary(static p => p.Key, static p => (IReadOnlyList<SuiteFigures>)p.Value);
    }

    private static SuiteFigures Figures(string output) => new(JsonNode.Parse(output)!.AsObject());

    private string[] Arguments(SuiteCase one)
    {
        var own = one.Arguments.Split(' ');
        var common = options.Chunk(2).Where(option => !own.Contains(option[0])).SelectMany(static option => option);
        return ["bench", Path.Combine(place, one.Model.Folder), .. own, .. common, "--json"];
    }
}
