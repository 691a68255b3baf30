using System.CommandLine;
using System.Text.Json.Nodes;
using OrtPeft.Adapters;
using OrtPeft.Cli.Errors;
using OrtPeft.Cli.Files;
using OrtPeft.Cli.Options;
using OrtPeft.Cli.Reporting;
using OrtPeft.Server;
using OrtPeft.Serving;
using OrtPeft.Text;
using OrtPeft.Tokenizers;

namespace OrtPeft.Cli.Commands;

/// <summary>Answers requests over HTTP until it is stopped.</summary>
internal sealed class ServeCommand : Verb
{
    private static readonly ServerOptions Server = new();
    private static readonly ServingOptions Serving = new();

    private readonly ModelArgument _model = new();
    private readonly TokenizerOption _tokenizer = new();

    private readonly Option<string[]> _adapters = new("--adapter")
    {
        Description = "A LoRA adapter and the name that requests choose it by, which is its folder's when left out; "
            + "repeat for more. All share the model's weights.",
        HelpName = "NAME=DIR",
    };

    private readonly Option<string?> _name = new("--model-name")
    {
        Description = "The name of the model without an adapter. [default: its folder's]",
        HelpName = "NAME",
    };

    private readonly Option<string> _host = new("--host")
    {
        Description = "The address to listen at; 0.0.0.0 lets other machines in.",
        HelpName = "ADDRESS",
        DefaultValueFactory = static _ => Server.Host,
    };

    private readonly Option<int> _port = NumberOption.Of(
        "--port", "The port to listen at; 0 takes a free one.", "N", Server.Port, least: 0);

    private readonly Option<string[]> _keys = new("--api-key")
    {
        Description = "Such a key; repeat for more. Other users of this machine may see it in the list of processes; prefer "
            + "--api-key-file.",
        HelpName = "KEY",
    };

    private readonly Option<string?> _keyFile = new("--api-key-file")
    {
        Description = "A file with keys, one a line, of which requests must bring one (Authorization: Bearer KEY).",
        HelpName = "FILE",
    };

    private readonly Option<string?> _loading = new("--allow-adapter-loading")
    {
        Description = "Let requests load and unload adapters of this folder (POST /v1/load_lora_adapter).",
        HelpName = "DIR",
    };

    private readonly Option<int> _maxTokens = NumberOption.Of(
        "--max-tokens", "The most tokens of an answer, and its limit where a request gives none.", "N", Server.MaxTokens, least: 1);

    private readonly Option<int> _maxBatch = NumberOption.Of(
        "--max-batch", "The most answers that are computed at a time; others wait.", "N", Serving.MaxBatch, least: 1);

    private readonly Option<int> _queue = NumberOption.Of(
        "--queue", "The most requests that wait; others get status 429.", "N", Serving.MaxQueue, least: 0);

    private readonly Option<double?> _timeout = NumberOption.Optional<double>(
        "--timeout", "The longest that a request may take. [default: no limit]", "SECONDS");

    private readonly Option<long?> _maxBody = SizeOption.Of(
        "--max-body", "The largest request; others get status 413. [default: 1MiB]");

    private readonly Option<long?> _cacheMemory = SizeOption.Of(
        "--cache-memory", "Memory for the keys and values of running answers. [default: a quarter of what there is]");

    [System.Diagnostics.CodeAnalysis.SetsRequiredMembers]
    public ServeCommand(Host host)
        : base(host, "serve", "Serve a model and its LoRA adapters over HTTP, with OpenAI's API.")
    {
        Examples =
        [
            "ortpeft serve smollm2",
            "ortpeft serve smollm2 --adapter support=runs/support --adapter legal=runs/legal --port 8080",
            "ortpeft serve smollm2 --adapter runs/support --host 0.0.0.0 --api-key-file keys.txt --timeout 60",
        ];
        Notes =
            "POST /v1/chat/completions, /v1/completions and, for folders of sentence-transformers,\n"
            + "/v1/embeddings; GET /v1/models, and a page to try it out at /.\n"
            + "A request's \"model\" is the name of an adapter or of the model; requests for any of them are\n"
            + "computed in one batch. Also GET /health, /ready and /metrics (Prometheus). Ctrl-C or SIGTERM\n"
            + "lets running answers end.";
        Arguments.Add(_model);
        Options.Add(_adapters);
        Options.Add(_name);
        Options.Add(_host);
        Options.Add(_port);
        Options.Add(_keys);
        Options.Add(_keyFile);
        Options.Add(_loading);
        Options.Add(_maxTokens);
        Options.Add(_maxBatch);
        Options.Add(_queue);
        Options.Add(_timeout);
        Options.Add(_maxBody);
        Options.Add(_cacheMemory);
        Options.Add(_tokenizer);
    }

    protected override void Run(Invocation run)
    {
        var server = ServerOf(run);
        var adapters = Adapters(run);
        var source = _model.Open(run);
        var folder = _tokenizer.FolderFor(run, source);
        if (!TokenizerFolder.Holds(folder) && run.Get(_tokenizer) is null)
            throw new UsageException($"{folder} holds no tokenizer; name its folder with --tokenizer.");
        var text = TextModel.Of(source, folder, run.Warn);
        var serving = new ServingOptions
        {
            MaxBatch = run.Get(_maxBatch),
            MaxQueue = run.Get(_queue),
            CacheMemory = run.Get(_cacheMemory),
            AllowsLoading = server.AdapterFolder is not null,
            Runtime = run.Runtime,
        };
        foreach (var place in adapters.Values)
            UnknownFields.Warn(run, place, AdapterFolder.LoadConfig(place));
        run.Host.Interruption.Listen();
        using var served = ServedModel.Open(text, adapters, serving, run.Get(_name));
        if (served.WhyAlone is { } why)
            run.Warn($"answers are computed one after the other: {why}.");
        ServeAsync(run, served, server).GetAwaiter().GetResult();
    }

    private static async Task ServeAsync(Invocation run, ServedModel served, ServerOptions options)
    {
        var server = await StartAsync(served, options, run.Host.Clock).ConfigureAwait(false);
        await using (server.ConfigureAwait(false))
        {
            if (!options.IsLocal && options.Keys.Count == 0)
                run.Warn($"whoever reaches {options.Host} may ask the model; give --api-key-file, or let only those in who should.");
            string[] models = [served.Name, .. served.Adapters];
            run.Answer(new JsonObject
            {
                ["address"] = server.Address.ToString(),
                ["models"] = new JsonArray([.. models.Select(static n => (JsonNode)n)]),
            });
            run.Say($"Serving {string.Join(", ", models)} at {server.Address}; Ctrl-C stops.");
            await run.Host.Output.FlushAsync().ConfigureAwait(false);
            await StoppedAsync(run.Host.Interruption.Token).ConfigureAwait(false);
            run.Say("Stopping once the running answers have ended; Ctrl-C again quits at once.");
            await server.StopAsync().ConfigureAwait(false);
        }
    }

    private static async Task StoppedAsync(CancellationToken interruption)
    {
        var stopped = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using (interruption.Register(stopped.SetResult).ConfigureAwait(false))
            await stopped.Task.ConfigureAwait(false);
    }

    private static async Task<ApiServer> StartAsync(ServedModel served, ServerOptions options, TimeProvider clock)
    {
        try
        {
            return await ApiServer.StartAsync(served, options, clock).ConfigureAwait(false);
        }
        catch (IOException e)
        {
            throw new UsageException(
                $"Port {Human.Plain(options.Port)} of {options.Host} cannot be opened ({e.Message}); give another --port.");
        }
    }

    private ServerOptions ServerOf(Invocation run)
    {
        var seconds = run.Get(_timeout);
        if (seconds is not (null or (> 0 and <= 1e6)))
            throw new UsageException($"--timeout is {Human.Plain(seconds.Value)}; it must be above 0, in seconds.");
        if (run.Get(_port) > ushort.MaxValue)
            throw new UsageException($"--port is {Human.Plain(run.Get(_port))}; it must be at most {ushort.MaxValue}.");
        var folder = run.Get(_loading);
        if (folder is not null && !Directory.Exists(folder))
            throw new UsageException($"--allow-adapter-loading: {folder} is not a folder; name the one with the adapters.");
        var gate = new Lock();
        return new ServerOptions
        {
            Host = run.Get(_host),
            Port = run.Get(_port),
            Keys = Keys(run),
            MaxBody = run.Get(_maxBody) ?? Server.MaxBody,
            MaxTokens = run.Get(_maxTokens),
            Timeout = seconds is { } limit ? TimeSpan.FromSeconds(limit) : null,
            AdapterFolder = folder is null ? null : Path.GetFullPath(folder),
            Log = line =>
            {
                lock (gate)
                    run.Host.Error.WriteLine(line);
            },
        };
    }

    private List<string> Keys(Invocation run)
    {
        var keys = new List<string>(run.Get(_keys) ?? []);
        if (run.Get(_keyFile) is { } file)
        {
            var lines = File.ReadAllLines(file).Select(static l => l.Trim()).Where(static l => l.Length > 0).ToArray();
            if (lines.Length == 0)
                throw new UsageException($"--api-key-file: {file} holds no key; write one a line.");
            keys.AddRange(lines);
        }

        return keys;
    }

    private Dictionary<string, string> Adapters(Invocation run) => run.Get(_adapters) is { Length: > 0 } given
        ? AdapterPlace.Named(given).ToDictionary(static p => p.Name, static p => p.Folder)
        : [];
}
