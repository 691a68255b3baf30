using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text.RegularExpressions;

namespace OrtPeft.Packages.Tests;

/// <summary>What the packages do on a machine that has nothing else of OrtPeft.</summary>
[Collection(nameof(PackedFeed))]
public sealed partial class InstalledTests(PackedFeed feed)
{
    private static readonly string Model = Path.Combine(PackedFeed.Root, "models", "tiny-gpt2-apidocs");

    [Fact]
    public void Tool_Installed_TrainsAndGenerates()
    {
        var folder = feed.NewFolder("tool");
        File.WriteAllLines(Path.Combine(folder, "rows.jsonl"), ["""{"text":"ONNX Runtime runs models anywhere."}"""]);
        feed.Commands.Run(folder, "dotnet", "tool", "install", "OrtPeft.Cli", "--tool-path", "bin");
        var ortpeft = Path.Combine(folder, "bin", "ortpeft");

        var version = feed.Commands.Run(folder, ortpeft, "--version");
        feed.Commands.Run(
            folder, ortpeft, "train", Model, "--data", "rows.jsonl", "--out", "adapter", "--steps", "2");
        var text = feed.Commands.Run(
            folder, ortpeft, "generate", Model, "--adapter", "adapter", "--prompt", "Gets", "--max-new-tokens", "4");

        Assert.Equal($"ortpeft {PackedFeed.Version}\n", version);
        Assert.True(File.Exists(Path.Combine(folder, "adapter", "adapter_model.safetensors")));
        Assert.NotEqual("", text.Trim());
    }

    [Fact]
    public void FineTuneTemplate_TrainsAnAdapter_AndGeneratesText()
    {
        var folder = NewApp("ortpeft-finetune", "FineTune");

        var output = feed.Commands.Run(folder, "dotnet", "run", "--configuration", "Release");

        double[] losses = [.. Loss().Matches(output)
            .Select(static m => double.Parse(m.Groups[1].Value, CultureInfo.InvariantCulture))];
        Assert.Equal(10, losses.Length);
        Assert.True(losses[^1] < losses[0], output);
        var text = output[(output.LastIndexOf("loss", StringComparison.Ordinal) + "loss 1.2345".Length)..];
        Assert.NotEqual("", text.Trim());
        Assert.True(File.Exists(Path.Combine(folder, "adapter", "adapter_model.safetensors")));
    }

    [Fact]
    public async Task ChatTemplate_AnswersOverHttp()
    {
        var folder = NewApp("ortpeft-chat", "Chat");
        feed.Commands.Run(folder, "dotnet", "build", "--configuration", "Release");
        using var app = feed.Commands.Start(
            folder, "dotnet", Path.Combine("bin", "Release", "net10.0", "Chat.dll"), "--urls", "http://127.0.0.1:0");
        try
        {
            using var client = new HttpClient { BaseAddress = await Listening(app) };
            var text = await client.GetStringAsync("/generate?prompt=Gets%20the");
            using var answer = await Chat(client, "user");
            using var refused = await Chat(client, "nobody");

            Assert.NotEqual("", text.Trim());
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);
            Assert.Contains("nobody", await refused.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        }
        finally
        {
            app.Kill(entireProcessTree: true);
        }
    }

    /// <summary>The guide shows what the templates make.</summary>
    [Theory]
    [InlineData("ortpeft-finetune", "csharp.md")]
    [InlineData("ortpeft-chat", "deploying.md")]
    public void Guide_QuickStart_IsTheTemplatesProgram(string template, string page)
    {
        var program = File.ReadAllText(Path.Combine(PackedFeed.Root, "templates", template, "Program.cs"));

        var guide = File.ReadAllText(Path.Combine(PackedFeed.Root, "docs", "guide", page));

        Assert.Contains($"```csharp\n{program}```", guide, StringComparison.Ordinal);
    }

    /// <summary>A project made from a template, with the small model where it looks for one.</summary>
    private string NewApp(string template, string name)
    {
        var folder = feed.NewFolder(name);
        feed.Commands.Run(folder, "dotnet", "new", "install", $"OrtPeft.Templates@{PackedFeed.Version}", "--force");
        feed.Commands.Run(folder, "dotnet", "new", template, "--output", ".");
        var place = Directory.CreateDirectory(Path.Combine(folder, "gpt2"));
        foreach (var file in Directory.GetFiles(Model))
            File.Copy(file, Path.Combine(place.FullName, Path.GetFileName(file)));
        return folder;
    }

    private static Task<HttpResponseMessage> Chat(HttpClient client, string role) =>
        client.PostAsJsonAsync("/chat", new[] { new { role, content = "Hello" } });

    /// <summary>The address that an app says it listens on.</summary>
    private static async Task<Uri> Listening(Process app)
    {
        var seen = new List<string>();
        while (await app.StandardOutput.ReadLineAsync() is { } line)
        {
            seen.Add(line);
            if (Address().Match(line) is { Success: true } match)
                return new Uri(match.Value);
        }

        throw new InvalidOperationException(
            $"It ended: {string.Join('\n', seen)}\n{await app.StandardError.ReadToEndAsync()}");
    }

    [GeneratedRegex(@"loss (\d+\.\d{4})")]
    private static partial Regex Loss();

    [GeneratedRegex(@"http://127\.0\.0\.1:\d+")]
    private static partial Regex Address();
}
