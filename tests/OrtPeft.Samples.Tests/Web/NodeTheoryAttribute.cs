using OrtPeft.Testing;

namespace OrtPeft.Samples.Tests.Web;

/// <summary>A test that needs Node and the sample's packages; where they are missing the runner says so.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class NodeTheoryAttribute : TheoryAttribute
{
    public NodeTheoryAttribute() => Skip = Requirement.SkipReason(WebSample.WhyNotNode);
}
