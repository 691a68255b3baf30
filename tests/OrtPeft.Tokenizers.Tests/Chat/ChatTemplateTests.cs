using System.Text.Json;
using OrtPeft.Tokenizers.Chat;

namespace OrtPeft.Tokenizers.Tests.Chat;

public sealed class ChatTemplateTests
{
    private static readonly JsonElement[] Lines =
        [.. File.ReadLines(Path.Combine(ChatGoldens.Folder, "cases.jsonl")).Select(ChatGoldens.Json)];

    private static JsonElement Tables => Lines[0];

    public static TheoryData<string> Templates =>
        [.. Lines.Skip(1).Select(static line => line.GetProperty("template").GetString()!).Distinct()];

    [Theory]
    [MemberData(nameof(Templates))]
    public void Render_OfTheGoldens_IsTransformersText(string name)
    {
        var source = File.ReadAllText(Path.Combine(ChatGoldens.Folder, "templates", name));
        var cases = Lines.Skip(1).Where(line => line.GetProperty("template").GetString() == name);

        var wrong = cases.Select(line => Judge(source, line)).OfType<string>();

        Assert.Empty(wrong);
    }

    [Fact]
    public void Render_WithNullFields_LeavesThemOut()
    {
        var text = Render("{{ messages[0].content is defined }}", """[{"role":"user","content":null}]""");

        Assert.Equal("False", text);
    }

    [Theory]
    [InlineData("reasoning_content")]
    [InlineData("thinking")]
    [InlineData("reasoning")]
    public void Render_OfThoughts_FindsThemUnderEachName(string name)
    {
        const string Template =
            "{% set m = messages[0] %}{{ m.reasoning_content }}{{ m.thinking }}{{ m.reasoning }}";

        var text = Render(Template, $$"""[{"role":"assistant","{{name}}":"hm."}]""");

        Assert.Equal("hm.hm.hm.", text);
    }

    [Fact]
    public void Render_WhenTheTemplateRaises_KeepsItsWordsAndTheLine()
    {
        var error = Assert.Throws<ChatTemplateException>(
            static () => Render("a\n{{ raise_exception('No \"x\" here, é!') }}", "[]"));

        Assert.True(error.IsRaised);
        Assert.Equal("chat template test, line 2: No \"x\" here, é!", error.Message);
    }

    [Fact]
    public void Parse_OfABrokenTemplate_NamesTheLine()
    {
        var error = Assert.Throws<ChatTemplateException>(static () => ChatTemplate.Parse("a\nb{% if x %}", "test"));

        const string Expected = "chat template test, line 2: Unexpected end of template.";
        Assert.StartsWith(Expected, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Render_WithGenerationTags_TellsWhatIsLearned()
    {
        var template = ChatTemplate.Parse(
            "{% for m in messages %}<{{ m.role }}>{% generation %}{{ m.content }}{% endgeneration %};{% endfor %}",
            "t");

        var chat = template.Render(
            Chat("""[{"role":"a","content":"é😀"},{"role":"b","content":"two"}]"""));

        Assert.Equal(["é😀", "two"], chat.Generations!.Select(span => chat.Text[span.Start..span.End]));
    }

    [Fact]
    public void Render_WithGenerationTagsInAMacro_DoesNotGuessWhereTheyAre()
    {
        var template = ChatTemplate.Parse(
            "{% macro m() %}{% generation %}x{% endgeneration %}{% endmacro %}a{{ m() }}", "t");

        var chat = template.Render(Chat("[]"));

        Assert.Null(chat.Generations);
    }

    private static string? Judge(string source, JsonElement line)
    {
        var id = line.GetProperty("id").GetString()!;
        var fails = line.TryGetProperty("error", out var error);
        try
        {
            var template = ChatTemplate.Parse(source, "test");
            var text = template.Render(ChatOf(line), EndingOf(line), ChatGoldens.Clock).Text;
            var isRight = !fails && text == line.GetProperty("rendered").GetString();
            return isRight ? null : $"{id}: {text}";
        }
        catch (ChatTemplateException e)
        {
            var isRight = fails && e.Message.EndsWith(error.GetString()!, StringComparison.Ordinal);
            return isRight ? null : $"{id}: {e.Message}";
        }
    }

    private static ChatConversation ChatOf(JsonElement line) => new()
    {
        Messages = Tables.GetProperty("messages")[line.GetProperty("messages").GetInt32()],
        Tools = line.TryGetProperty("tools", out var tools)
            ? Tables.GetProperty("tools")[tools.GetInt32()]
            : null,
        Variables = Tables.GetProperty("extra")[line.GetProperty("extra").GetInt32()].EnumerateObject()
            .ToDictionary(static m => m.Name, static m => m.Value),
    };

    private static ChatEnding EndingOf(JsonElement line) =>
        line.TryGetProperty("ending", out var ending) ? Enum.Parse<ChatEnding>(ending.GetString()!) : default;

    private static ChatConversation Chat(string messages) => new() { Messages = ChatGoldens.Json(messages) };

    private static string Render(string template, string messages) =>
        ChatTemplate.Parse(template, "test").Render(Chat(messages), time: ChatGoldens.Clock).Text;
}
