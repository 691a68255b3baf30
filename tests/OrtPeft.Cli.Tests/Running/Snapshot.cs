namespace OrtPeft.Cli.Tests.Running;

/// <summary>Compares a page with the one in <c>Snapshots/</c>; a change is accepted by copying the new one.</summary>
internal static class Snapshot
{
    public static void Matches(string name, string text)
    {
        var folder = Path.Combine(AppContext.BaseDirectory, "Snapshots");
        var expected = Path.Combine(folder, $"{name}.txt");
        if (File.Exists(expected) && File.ReadAllText(expected) == text)
            return;
        Directory.CreateDirectory(folder);
        var received = Path.Combine(folder, $"{name}.received.txt");
        File.WriteAllText(received, text);
        Assert.Fail($"{name} is not as Snapshots/{name}.txt says; if the change is wanted, copy {received} there.");
    }
}
