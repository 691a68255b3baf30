using System.Text.Json;

namespace OrtPeft.Tokenizers.Tests.Chat;

/// <summary>What transformers 5.24 with Jinja2 3.1.6 made of templates in the manner of model families.</summary>
internal static class ChatGoldens
{
    /// <summary>The moment that the goldens call now.</summary>
    public static TimeProvider Clock { get; } =
        Tokenizers.Chat.ChatClock.At(new DateTimeOffset(2026, 2, 3, 14, 5, 6, TimeSpan.Zero));

    public static string Folder { get; } = Path.Combine(AppContext.BaseDirectory, "Chat", "Goldens");

    public static JsonElement Json(string text) => JsonDocument.Parse(text).RootElement;

    public static JsonElement JsonOf(string file) => Json(File.ReadAllText(Path.Combine(Folder, file)));
}
