using System.Reflection;
using System.Runtime.CompilerServices;
using PublicApiGenerator;

namespace OrtPeft.Architecture.Tests;

/// <summary>
/// What the libraries offer stands in <c>PublicApi/</c>, a file for each, so that a review sees every change. A wanted
/// change is written there by running these tests with <c>UPDATE_PUBLIC_API=1</c>.
/// </summary>
public sealed class PublicApiTests
{
    private static readonly ApiGeneratorOptions Options = new()
    {
        IncludeAssemblyAttributes = false,
        ExcludeAttributes =
        [
            "System.CodeDom.Compiler.GeneratedCodeAttribute",
            "System.Runtime.CompilerServices.NullableAttribute",
            "System.Runtime.CompilerServices.NullableContextAttribute",
        ],
    };

    /// <summary>Every library that has code.</summary>
    public static TheoryData<string> Libraries =>
        [.. Directory.GetDirectories(Path.Combine(Here(), "../../src")).Select(static d => Path.GetFileName(d))
            .Where(static name => name != "OrtPeft").Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Libraries))]
    public void Library_OffersWhatItsFileSays(string library)
    {
        var file = Path.Combine(Here(), "PublicApi", $"{library}.txt");

        var offered = Assembly.Load(library).GeneratePublicApi(Options).ReplaceLineEndings("\n") + "\n";

        if (Environment.GetEnvironmentVariable("UPDATE_PUBLIC_API") == "1")
            File.WriteAllText(file, offered);
        Assert.Equal(File.ReadAllText(file), offered);
    }

    private static string Here([CallerFilePath] string path = "") => Path.GetDirectoryName(path)!;
}
