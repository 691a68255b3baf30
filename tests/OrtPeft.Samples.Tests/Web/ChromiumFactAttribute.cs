using OrtPeft.Testing;

namespace OrtPeft.Samples.Tests.Web;

/// <summary>A test that needs Chromium beside Node; where something is missing the runner says what.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class ChromiumFactAttribute : FactAttribute
{
    public ChromiumFactAttribute() => Skip = Requirement.SkipReason(WebSample.WhyNotChromium);
}
