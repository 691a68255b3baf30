using System.ComponentModel;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using OrtPeft.Adapters.Lora;
using OrtPeft.Inference.Generation;
using OrtPeft.Runtime.Sessions;
using OrtPeft.Serving.Chat;
using OrtPeft.Testing;
using OrtPeft.Text;

namespace OrtPeft.Serving.Tests;

public sealed class ChatClientTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly ServiceProvider _app;
    private readonly IChatClient _client;

    public ChatClientTests()
    {
        var model = Path.GetFullPath(Path.Combine(Fixtures.Folder, "..", "..", "models", "tiny-gpt2-apidocs"));
        Text = TextModel.Open(model);
        Text.AddAdapter(new LoraConfig { R = 4, LoraAlpha = 64, InitLoraWeights = false }, seed: 1).Save(_folder["one"]);
        _app = new ServiceCollection().AddOrtPeftChatClient(options =>
        {
            options.Model = model;
            options.Adapters["one"] = _folder["one"];
            options.Serving = new ServingOptions { Runtime = new RuntimeOptions { Threads = 1 } };
        }).BuildServiceProvider();
        _client = _app.GetRequiredService<IChatClient>();
    }

    private TextModel Text { get; }

    [Theory]
    [InlineData(null)]
    [InlineData("one")]
    public async Task GetResponse_WithAnAdaptersName_IsTheAdaptersAnswer(string? adapter)
    {
        using var generator = Text.OpenGenerator(adapter is null ? null : Text.LoadAdapter(_folder[adapter]));
        var expected = generator.Answer(
            [new("system", "Be brief."), new("user", "Gets the")], new GenerationOptions { MaxNewTokens = 10 });

        var response = await _client.GetResponseAsync(
            [new(ChatRole.User, "Gets the")],
            new ChatOptions { ModelId = adapter, MaxOutputTokens = 10, Instructions = "Be brief." });

        Assert.Equal(expected, response.Text);
        Assert.Equal(ChatFinishReason.Length, response.FinishReason);
        Assert.Equal(10, response.Usage!.OutputTokenCount);
        Assert.Equal(adapter ?? "tiny-gpt2-apidocs", response.ModelId);
    }

    [Fact]
    public async Task GetStreamingResponse_OfManyAtOnce_GivesEachItsOwn()
    {
        string[] words = ["Gets", "Sets", "Returns", "The", "A", "True"];
        var alone = new List<string>();
        foreach (var (i, word) in words.Index())
            alone.Add((await _client.GetResponseAsync(word, Options(i))).Text);

        var together = await Task.WhenAll(words.Select(
            async (word, i) => (await _client.GetStreamingResponseAsync(word, Options(i)).ToChatResponseAsync()).Text));

        Assert.Equal(alone, together);

        static ChatOptions Options(int i) =>
            new() { ModelId = i % 2 == 0 ? "one" : null, MaxOutputTokens = 8, Temperature = 1, Seed = i };
    }

    [Fact]
    public async Task GetResponse_WithWhatCannotBeFollowed_IsRefused()
    {
        await Assert.ThrowsAsync<UnknownModelException>(() => _client.GetResponseAsync("x", new ChatOptions { ModelId = "no" }));
        await Assert.ThrowsAsync<NotSupportedException>(
            () => _client.GetResponseAsync("x", new ChatOptions { ResponseFormat = ChatResponseFormat.Json }));
        await Assert.ThrowsAsync<NotSupportedException>(
            () => _client.GetResponseAsync("x", new ChatOptions { Tools = [AIFunctionFactory.Create(Weather)] }));
        await Assert.ThrowsAsync<NotSupportedException>(() => _client.GetResponseAsync(
            [new(ChatRole.User, [new DataContent(new byte[] { 1 }, "image/png")])]));
    }

    [Fact]
    public void GetService_GivesTheModelAndItsName()
    {
        Assert.Same(_app.GetRequiredService<ServedModel>(), _client.GetService<ServedModel>());
        Assert.Equal("ortpeft", _client.GetService<ChatClientMetadata>()!.ProviderName);
    }

    public void Dispose()
    {
        _client.Dispose();
        _app.Dispose();
        _folder.Dispose();
    }

    [Description("Tells the weather.")]
    private static string Weather(string place) => place;
}
