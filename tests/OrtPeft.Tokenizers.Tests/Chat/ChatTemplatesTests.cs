using System.Text.Json;
using OrtPeft.Tokenizers.Chat;

namespace OrtPeft.Tokenizers.Tests.Chat;

/// <summary>Which template a folder has, against transformers' own choice.</summary>
public sealed class ChatTemplatesTests : IDisposable
{
    private static readonly JsonElement Goldens = ChatGoldens.JsonOf("selection.json");

    private readonly string _root = Directory.CreateTempSubdirectory().FullName;

    public ChatTemplatesTests()
    {
        foreach (var file in Goldens.GetProperty("files").EnumerateObject())
        {
            var path = Path.Combine(_root, file.Name);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllText(path, file.Value.GetString());
        }
    }

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public void Select_OfTheGoldens_TakesTransformersTemplate()
    {
        // Additional templates beside a text leave transformers without a default; here the text is the default.
        var wrong = Goldens.GetProperty("cases").EnumerateArray()
            .Where(static c => c.GetProperty("ask").GetString() != "given text")
            .Where(static c => c.GetProperty("folder").GetString() != "additional_beside_config")
            .Select(Judge).OfType<string>();

        Assert.Empty(wrong);
    }

    [Fact]
    public void Select_OfATextBesideAdditionalTemplates_TakesTheTextAsDefault()
    {
        var templates = ChatTemplates.Load(Path.Combine(_root, "additional_beside_config"))!;

        Assert.Equal(["default", "tool_use"], templates.Names);
        Assert.EndsWith("tokenizer_config.json", templates.Select(hasTools: false).Origin, StringComparison.Ordinal);
    }

    [Fact]
    public void Select_OfAnUnknownName_NamesThoseThatThereAre()
    {
        var templates = ChatTemplates.Load(Path.Combine(_root, "config_list"))!;

        var error = Assert.Throws<ChatTemplateException>(() => templates.Select(hasTools: false, "Rag"));

        const string Expected = "there is no chat template 'Rag'; there are default, rag, tool_use";
        Assert.EndsWith(Expected, error.Message, StringComparison.Ordinal);
    }

    private string? Judge(JsonElement golden)
    {
        var place = $"{golden.GetProperty("folder")}, {golden.GetProperty("ask")}";
        var hasTools = golden.TryGetProperty("tools", out var tools);
        var name = golden.TryGetProperty("chat_template", out var given) ? given.GetString() : null;
        var expected = golden.TryGetProperty("rendered", out var text) ? text.GetString() : null;
        try
        {
            var folder = Path.Combine(_root, golden.GetProperty("folder").GetString()!);
            var templates = ChatTemplates.Load(folder);
            var chat = new ChatConversation
            {
                Messages = golden.GetProperty("messages"),
                Tools = hasTools ? tools : null,
            };
            var rendered = templates?.Select(hasTools, name).Render(chat, ChatEnding.GenerationPrompt).Text;
            return rendered == expected ? null : $"{place}: {rendered}";
        }
        catch (ChatTemplateException e)
        {
            return expected is null ? null : $"{place}: {e.Message}";
        }
    }
}
