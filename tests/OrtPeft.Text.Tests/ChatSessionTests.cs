using System.Text.Json;
using OrtPeft.Inference.Generation;
using OrtPeft.Testing;
using OrtPeft.Tokenizers.Chat;

namespace OrtPeft.Text.Tests;

public sealed class ChatSessionTests
{
    private const string Template =
        "{% for m in messages %}[{{ m.role }}] {{ m.content }}\n{% endfor %}"
        + "{% if add_generation_prompt %}[assistant]{% endif %}";

    private static readonly GenerationOptions Short = new() { MaxNewTokens = 5 };

    [Fact]
    public void Ask_SecondTime_ContinuesWhatWasSaid()
    {
        using var folder = new TemporaryFolder();
        using var text = SmallGpt2.Templated(folder, Template).OpenGenerator();
        var chat = text.StartChat("Be brief.", Short);

        var first = chat.Ask("Hi");
        var second = chat.Ask("Why?");

        const string Beginning = "[system] Be brief.\n[user] Hi\n[assistant]";
        var prompt = $"[system] Be brief.\n[user] Hi\n[assistant] {first}\n[user] Why?\n[assistant]";
        Assert.Equal(text.Generate(Beginning, Short), first);
        Assert.Equal(prompt, chat.Prompt);
        Assert.Equal(text.Generate(prompt, Short), second);
        Assert.Equal(["system", "user", "assistant", "user", "assistant"], Roles(chat));
        Assert.Equal(new ChatAnswer(second, 5, FinishReason.Length), chat.LastAnswer);
    }

    [Fact]
    public void Ask_WithoutATemplate_WritesTurnsAsTrainingDoes()
    {
        var model = SmallGpt2.Open();
        using var text = model.OpenGenerator();
        var chat = text.StartChat(options: Short);

        var first = chat.Ask("Hi");
        chat.Ask("Why?");

        var end = model.Tokenizer.Decode([model.Tokenizer.EndOfTextId!.Value]);
        Assert.Equal(first.Trim(), first);
        Assert.Equal($"user: Hi\nassistant: {first}\n{end}user: Why?\nassistant:", chat.Prompt);
    }

    [Fact]
    public void Stream_WhenCancelled_KeepsWhatCame()
    {
        using var text = SmallGpt2.Open().OpenGenerator();
        using var stop = new CancellationTokenSource();
        var chat = text.StartChat(options: Short);
        var came = "";

        Assert.Throws<OperationCanceledException>(() =>
        {
            foreach (var piece in chat.Stream("Hi", stop.Token))
            {
                came += piece;
                stop.Cancel();
            }
        });

        Assert.NotEmpty(came);
        Assert.Equal(came, chat.LastAnswer!.Text);
        Assert.Equal(["user", "assistant"], Roles(chat));
    }

    [Fact]
    public void Stream_WhenCancelledBeforeATokenCame_DropsTheQuestion()
    {
        using var text = SmallGpt2.Open().OpenGenerator();
        var chat = text.StartChat(options: Short);

        Assert.Throws<OperationCanceledException>(() => chat.Ask("Hi", new CancellationToken(canceled: true)));

        Assert.Empty(Roles(chat));
        Assert.Null(chat.LastAnswer);
    }

    [Fact]
    public void Stream_ThatIsLeft_KeepsWhatWasTaken()
    {
        using var text = SmallGpt2.Open().OpenGenerator();
        var chat = text.StartChat(options: Short);

        var first = chat.Stream("Hi").First();

        Assert.Equal(first, chat.LastAnswer!.Text);
        Assert.Null(chat.LastAnswer.FinishReason);
    }

    [Fact]
    public void Stream_AgainAfterTheConversationWentOn_IsRefused()
    {
        using var text = SmallGpt2.Open().OpenGenerator();
        var chat = text.StartChat(options: Short);
        var answer = chat.Stream("Hi");
        Assert.NotEmpty(string.Concat(answer));

        Assert.Throws<InvalidOperationException>(() => string.Concat(answer));
        Assert.Equal(["user", "assistant"], Roles(chat));
    }

    [Fact]
    public void Stream_BesideAnotherAnswer_IsRefused()
    {
        using var text = SmallGpt2.Open().OpenGenerator();
        var chat = text.StartChat(options: Short);
        using var first = chat.Stream("Hi").GetEnumerator();
        Assert.True(first.MoveNext());

        Assert.Throws<InvalidOperationException>(() => chat.Ask("Why?"));
    }

    [Fact]
    public void Ask_AtAStopText_HasAnAnswerWithoutIt()
    {
        using var folder = new TemporaryFolder();
        var model = SmallGpt2.Templated(folder, Template);
        using var generator = Generator.Open(model.Source.Model);
        var templates = ChatTemplates.Load(folder.Path);
        var whole = new ChatSession(generator, model.Tokenizer, templates) { Options = Short }.Ask("Hi");
        var chat = new ChatSession(generator, model.Tokenizer, templates)
        {
            Options = Short,
            StopTexts = [whole[^2..]],
        };

        var answer = chat.Ask("Hi");

        Assert.Equal(whole[..whole.IndexOf(whole[^2..], StringComparison.Ordinal)], answer);
        Assert.Equal(answer, chat.Conversation.Messages[1].GetProperty("content").GetString());
    }

    [Fact]
    public void Ask_WithTools_HandsThemToTheTemplate()
    {
        using var folder = new TemporaryFolder();
        using var text = SmallGpt2.Templated(folder, "{{ tools[0].name }}: {{ messages[0].content }}").OpenGenerator();
        var beginning = new ChatConversation
        {
            Messages = JsonSerializer.SerializeToElement(Array.Empty<object>()),
            Tools = JsonSerializer.SerializeToElement(new[] { new { name = "clock" } }),
        };
        var chat = text.StartChat(beginning, Short);

        chat.Ask("Hi");

        Assert.Equal("clock: Hi", chat.Prompt);
    }

    [Fact]
    public void Ask_WithToolsButNoTemplate_IsRefused()
    {
        using var text = SmallGpt2.Open().OpenGenerator();
        var chat = text.StartChat(new ChatConversation
        {
            Messages = JsonSerializer.SerializeToElement(Array.Empty<object>()),
            Tools = JsonSerializer.SerializeToElement(Array.Empty<object>()),
        });

        Assert.Throws<Tensors.SettingException>(() => chat.Ask("Hi"));
        Assert.Empty(Roles(chat));
    }

    private static IEnumerable<string?> Roles(ChatSession chat) =>
        chat.Conversation.Messages.EnumerateArray().Select(static m => m.GetProperty("role").GetString());
}
