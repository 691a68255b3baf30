using OrtPeft.Testing;

namespace OrtPeft.Samples.Tests;

/// <summary>A test of a shell script.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class ShellFactAttribute : FactAttribute
{
    public ShellFactAttribute() => Skip = Requirement.SkipReason(OperatingSystem.IsWindows() ? "Needs bash." : null);
}
