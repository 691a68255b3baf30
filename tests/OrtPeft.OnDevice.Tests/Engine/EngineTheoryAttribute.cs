using OrtPeft.Testing;

namespace OrtPeft.OnDevice.Tests.Engine;

/// <summary>A test with rows that needs the training engine.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class EngineTheoryAttribute : TheoryAttribute
{
    public EngineTheoryAttribute() => Skip = Requirement.SkipReason(TrainingEngine.WhyNot);
}
