using OrtPeft.Testing;

namespace OrtPeft.Text.Tests;

/// <summary>The small GPT-2 of <c>models/</c>: 128 positions, no chat template.</summary>
internal static class SmallGpt2
{
    public static string Folder { get; } =
        Path.GetFullPath(Path.Combine(Fixtures.Folder, "..", "..", "models", "tiny-gpt2-apidocs"));

    public static TextModel Open(Action<string>? warn = null) => TextModel.Open(Folder, warn);

    /// <summary>The same with a chat template beside it.</summary>
    public static TextModel Templated(TemporaryFolder folder, string template)
    {
        foreach (var file in Directory.GetFiles(Folder))
            File.Copy(file, folder[Path.GetFileName(file)]);
        File.WriteAllText(folder["chat_template.jinja"], template);
        return TextModel.Open(folder.Path);
    }
}
