using OrtPeft.OnDevice.Tests.Engine;

namespace OrtPeft.OnDevice.Tests;

/// <summary>Everything that the engine is asked for, test class by test class.</summary>
internal static class Jobs
{
    public static IEnumerable<EngineJob> All =>
    [
        .. GoldenLossTests.Jobs,
        .. MethodTests.Jobs,
        .. OtherBaseTests.Jobs,
        .. StepTests.Jobs,
        .. OptimizerTests.Jobs,
        .. DropoutTests.Jobs,
        .. ResumeTests.Jobs,
    ];
}
