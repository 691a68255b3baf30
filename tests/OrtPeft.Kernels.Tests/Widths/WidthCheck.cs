using System.Runtime.Intrinsics;
using Microsoft.ML.OnnxRuntime;
using OrtPeft.Kernels.Tests.Layouts;
using OrtPeft.Tensors;

namespace OrtPeft.Kernels.Tests.Widths;

/// <summary>What a process of its own does, in which .NET uses narrower vectors: it runs cases of every operator and
/// prints what went wrong.</summary>
internal static class WidthCheck
{
    /// <summary>Bits of a vector in this process.</summary>
    public static int Bits => Vector512.IsHardwareAccelerated ? 512 : Vector256.IsHardwareAccelerated ? 256 : 128;

    private const int CasesOfOperator = 4;

    /// <summary>The first cases of each operator, of whole and of broken vectors.</summary>
    public static IReadOnlyList<KernelCase> Cases { get; } =
    [
        .. KernelCases.ByName.Values.GroupBy(static c => c.Op).SelectMany(static c => c.Take(CasesOfOperator)),
    ];

    /// <summary>Runs the cases.</summary>
    /// <returns>The number of those that went wrong, at most 100.</returns>
    public static int Main()
    {
        string[] wrong =
        [
            .. Cases.AsParallel().Select(static c => Finding(c.Name, () => KernelTests.MustAgree(c))).OfType<string>(),
            .. Finding("bfloat16", Bf16RowsTests.MustBeExact) is { } finding ? [finding] : Array.Empty<string>(),
        ];
        Console.WriteLine($"{Cases.Count} cases with {Bits} bits");
        foreach (var line in wrong)
            Console.WriteLine(line);
        return Math.Min(wrong.Length, 100);
    }

    private static string? Finding(string name, Action check)
    {
        try
        {
            check();
            return null;
        }
        catch (Exception e) when (e is Xunit.Sdk.XunitException or OnnxRuntimeException or OnnxFormatException)
        {
            return $"{name}: {e.Message}";
        }
    }
}
