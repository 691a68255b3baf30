using OrtPeft.Testing;

namespace OrtPeft.Samples.Tests.Web;

/// <summary>Both artifact folders as <c>npm run artifacts</c> writes them, once for all tests.</summary>
public sealed class WebArtifacts : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public WebArtifacts()
    {
        if (WebSample.WhyNotNode is not null)
            return;
        var command = System.IO.Path.Combine(AppContext.BaseDirectory, "ortpeft.dll");
        var variables = new Dictionary<string, string> { ["ARTIFACTS"] = _folder.Path, ["ORTPEFT"] = command };
        WebSample.Node(variables, "make-artifacts.js");
    }

    /// <summary>The folder with <c>ort</c> and <c>ort-training</c>.</summary>
    public string Path => _folder.Path;

    public void Dispose() => _folder.Dispose();
}
