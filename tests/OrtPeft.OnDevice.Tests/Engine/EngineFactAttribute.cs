using OrtPeft.Testing;

namespace OrtPeft.OnDevice.Tests.Engine;

/// <summary>A test that needs the training engine; where it is missing the runner says why it is left out.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class EngineFactAttribute : FactAttribute
{
    public EngineFactAttribute() => Skip = Requirement.SkipReason(TrainingEngine.WhyNot);
}
