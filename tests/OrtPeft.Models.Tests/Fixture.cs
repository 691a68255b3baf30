namespace OrtPeft.Models.Tests;

/// <summary>The files that PyTorch and HF transformers wrote, copied beside the tests.</summary>
internal static class Fixture
{
    public static string Path(string name) => System.IO.Path.Combine(AppContext.BaseDirectory, "Fixtures", name);
}
