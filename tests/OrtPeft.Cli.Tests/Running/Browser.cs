using System.Diagnostics;
using System.Net.WebSockets;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace OrtPeft.Cli.Tests.Running;

/// <summary>A headless Chromium that is told what to do through its DevTools protocol; one tab.</summary>
internal sealed class Browser : IAsyncDisposable
{
    private static readonly string[] Places =
    [
        "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome",
        "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
        "C:/Program Files/Google/Chrome/Application/chrome.exe",
    ];

    private readonly string _profile = Directory.CreateTempSubdirectory("ortpeft-chromium-").FullName;
    private readonly ClientWebSocket _socket = new();
    private readonly List<string> _complaints = [];
    private Process? _process;
    private int _calls;

    private Browser()
    {
    }

    /// <summary>The program: what CHROMIUM names, or where systems put it; null where there is none.</summary>
    public static string? Program => Places.Prepend(Environment.GetEnvironmentVariable("CHROMIUM")).FirstOrDefault(File.Exists);

    /// <summary>What the console has complained of since <see cref="OpenAsync"/>, and what was fetched beyond the page.</summary>
    public IReadOnlyList<string> Complaints => _complaints;

    public static async Task<Browser> StartAsync()
    {
        var browser = new Browser();
        var start = new ProcessStartInfo(Program!) { RedirectStandardError = true };
        string[] options =
        [
            "--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0", "--no-first-run",
            $"--user-data-dir={browser._profile}", "about:blank",
        ];
        foreach (var option in options)
            start.ArgumentList.Add(option);
        browser._process = Process.Start(start)!;
        while (await browser._process.StandardError.ReadLineAsync() is { } line)
        {
            if (line.StartsWith("DevTools listening on ", StringComparison.Ordinal))
            {
                _ = browser._process.StandardError.ReadToEndAsync();
                await browser.ConnectAsync(new Uri(line["DevTools listening on ".Length..]));
                return browser;
            }
        }

        throw new InvalidOperationException("Chromium ended before it could be told anything.");
    }

    /// <summary>Opens a page in a window of a width.</summary>
    public async Task OpenAsync(string url, int width, bool isDark)
    {
        await CallAsync("Emulation.setDeviceMetricsOverride", new()
        {
            ["width"] = width,
            ["height"] = 900,
            ["deviceScaleFactor"] = 1,
            ["mobile"] = width < 600,
        });
        await CallAsync("Emulation.setEmulatedMedia", new()
        {
            ["features"] = new JsonArray(new JsonObject
            {
                ["name"] = "prefers-color-scheme",
                ["value"] = isDark ? "dark" : "light",
            }),
        });
        _complaints.Clear();
        await CallAsync("Page.navigate", new() { ["url"] = url });
        while ((string?)await EvaluateAsync("location.href + ' ' + document.readyState") != $"{url} complete")
            await Task.Delay(20);
        _complaints.Remove($"fetched {url}");
    }

    /// <summary>The value of an expression.</summary>
    public async Task<JsonNode?> EvaluateAsync(string expression)
    {
        var result = await CallAsync("Runtime.evaluate", new() { ["expression"] = expression, ["returnByValue"] = true });
        Assert.True(result["exceptionDetails"] is null, result.ToJsonString());
        return result["result"]!["value"];
    }

    public async ValueTask DisposeAsync()
    {
        _socket.Dispose();
        if (_process is not null)
        {
            _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync();
            _process.Dispose();
        }

        try
        {
            Directory.Delete(_profile, recursive: true);
        }
        catch (IOException)
        {
            // A process of the tree was still writing; the system clears the folder up.
        }
    }

    private async Task ConnectAsync(Uri browser)
    {
        using var http = new HttpClient();
        var pages = JsonNode.Parse(await http.GetStringAsync(new Uri($"http://{browser.Authority}/json/list")))!.AsArray();
        var page = pages.First(static p => (string?)p!["type"] == "page")!;
        await _socket.ConnectAsync(new Uri((string)page["webSocketDebuggerUrl"]!), CancellationToken.None);
        foreach (var part in new[] { "Page", "Runtime", "Log", "Network" })
            await CallAsync($"{part}.enable", []);
    }

    private async Task<JsonObject> CallAsync(string method, JsonObject parameters)
    {
        var id = ++_calls;
        var message = new JsonObject { ["id"] = id, ["method"] = method, ["params"] = parameters };
        await _socket.SendAsync(
            JsonSerializer.SerializeToUtf8Bytes(message), WebSocketMessageType.Text, true, CancellationToken.None);
        while (true)
        {
            var answer = await ReceiveAsync();
            if ((int?)answer["id"] == id)
                return answer["result"]?.AsObject() ?? throw new InvalidOperationException(answer.ToJsonString());
            Note(answer);
        }
    }

    private async Task<JsonObject> ReceiveAsync()
    {
        using var whole = new MemoryStream();
        var buffer = new byte[1 << 16];
        WebSocketReceiveResult part;
        do
        {
            part = await _socket.ReceiveAsync(buffer, CancellationToken.None);
            whole.Write(buffer, 0, part.Count);
        }
        while (!part.EndOfMessage);
        return JsonNode.Parse(whole.ToArray())!.AsObject();
    }

    private void Note(JsonObject happened)
    {
        var parameters = happened["params"];
        if ((string?)happened["method"] is "Log.entryAdded" or "Runtime.exceptionThrown" or "Runtime.consoleAPICalled")
            _complaints.Add(parameters!.ToJsonString());
        if ((string?)happened["method"] == "Network.requestWillBeSent")
            _complaints.Add($"fetched {parameters!["request"]!["url"]}");
    }
}
