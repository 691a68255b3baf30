using System.Text.Json;
using OrtPeft.Tokenizers.Chat;

namespace OrtPeft.Tokenizers.Tests.Chat;

/// <summary>
/// What the templates of models do, each in a small template. The texts were made by Jinja2 3.1.6 in the environment of
/// transformers: sandboxed and immutable, trim_blocks, lstrip_blocks, loop controls, its own tojson.
/// </summary>
public sealed class IdiomTests
{
    private static readonly JsonElement[] Cases =
        [.. File.ReadLines(Path.Combine(ChatGoldens.Folder, "idioms.jsonl")).Select(ChatGoldens.Json)];

    public static TheoryData<string> Names =>
        [.. Cases.Select(static c => c.GetProperty("name").GetString()!).Distinct()];

    [Theory]
    [MemberData(nameof(Names))]
    public void Render_OfAnIdiom_IsJinjasText(string name)
    {
        var cases = Cases.Where(c => c.GetProperty("name").GetString() == name);

        Assert.All(cases, static c =>
        {
            if (c.TryGetProperty("error", out var error))
            {
                var raised = Assert.Throws<ChatTemplateException>(() => Render(c));
                Assert.True(raised.IsRaised);
                Assert.EndsWith(error.GetString()!, raised.Message, StringComparison.Ordinal);
            }
            else
            {
                Assert.Equal(c.GetProperty("rendered").GetString(), Render(c));
            }
        });
    }

    private static string Render(JsonElement c)
    {
        var conversation = new ChatConversation
        {
            Messages = c.GetProperty("messages"),
            Tools = c.TryGetProperty("tools", out var tools) ? tools : null,
        };
        var isPrompt = c.GetProperty("add_generation_prompt").GetBoolean();
        var template = ChatTemplate.Parse(c.GetProperty("template").GetString()!, "idiom");
        return template.Render(conversation, isPrompt ? ChatEnding.GenerationPrompt : ChatEnding.Closed).Text;
    }
}
