using OrtPeft.Testing;

namespace OrtPeft.Cli.Tests.Running;

/// <summary>A test that looks at a page in Chromium; where it is missing the runner says so.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class BrowserFactAttribute : FactAttribute
{
    public BrowserFactAttribute() => Skip = Requirement.SkipReason(
        Browser.Program is null ? "Chromium is not installed; CHROMIUM can name its executable." : null);
}
