using System.Diagnostics;
using OrtPeft.Testing;

namespace OrtPeft.Server.Tests;

/// <summary>A test that needs Node and OpenAI's client; where they are missing the runner says so.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class NodeFactAttribute : FactAttribute
{
    public NodeFactAttribute() => Skip = Requirement.SkipReason(
        !Directory.Exists(Path.Combine(OpenAiClientTests.Folder, "node_modules")) ? "Run scripts/node-packages.sh first."
        : !HasNode() ? "Node is not installed."
        : null);

    private static bool HasNode()
    {
        try
        {
            using var node = Process.Start(new ProcessStartInfo("node", "--version") { RedirectStandardOutput = true });
            node!.WaitForExit();
            return node.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }
}
