using OrtPeft.Cli.Tests.Running;
using OrtPeft.Runtime.Sessions;

namespace OrtPeft.Cli.Tests.Commands;

public sealed class DevicesTests
{
    [Fact]
    public void Devices_ListsEachProvider_AndWhyOthersCannotBeUsed()
    {
        var providers = CliRun.Of("devices", "--json").Succeeded().Json["providers"]!.AsArray();

        Assert.Equal(ExecutionProvider.All.Select(static p => p.Name), providers.Select(static p => (string)p!["name"]!));
        Assert.True((bool)providers[0]!["usable"]!);
        Assert.All(providers.Where(static p => !(bool)p!["usable"]!), static p => Assert.NotEmpty((string)p!["why_not"]!));
        Assert.Contains("cpu", CliRun.Of("devices").Succeeded().Output, StringComparison.Ordinal);
    }

    /// <summary>A provider that is listed as absent is refused by the option in one line, whichever it is.</summary>
    [Fact]
    public void Provider_ThatIsAbsent_IsRefused()
    {
        foreach (var provider in ExecutionProvider.All.Where(static p => p.WhyNot() is not null))
        {
            CliRun.Of("eval", "nowhere", "--data", "none.jsonl", "--provider", provider.Name)
                .Refused(2, $"--provider is '{provider.Name}'", provider.Package);
        }
    }
}
