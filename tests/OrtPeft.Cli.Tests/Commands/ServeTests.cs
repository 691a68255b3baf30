using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.ML.OnnxRuntime;
using OrtPeft.Cli.Tests.Running;
using OrtPeft.Testing;

namespace OrtPeft.Cli.Tests.Commands;

public sealed class ServeTests
{
    private static readonly string Model =
        Path.GetFullPath(Path.Combine(Fixtures.Folder, "..", "..", "models", "tiny-gpt2-apidocs"));

    private static readonly string Encoder = Path.Combine(Fixtures.Folder, "encoder");

    [Fact]
    public void Serve_UntilItIsInterrupted_SaysWhatAndWhere()
    {
        var run = CliRun.InterruptedAt("Ctrl-C stops.", "serve", Model, "--port", "0", "--model-name", "small").Succeeded();

        Assert.Matches(@"^Serving small at http://127\.0\.0\.1:\d+/; Ctrl-C stops\.\nStopping once ", run.Output);
    }

    [Theory]
    [InlineData("--adapter", "x=nowhere", "nowhere")]
    [InlineData("--port", "70000", "at most 65535")]
    [InlineData("--timeout", "0", "above 0")]
    [InlineData("--host", "no such host", "is not an address")]
    [InlineData("--model-name", "with space", "is not a model's name")]
    [InlineData("--allow-adapter-loading", "nowhere", "is not a folder")]
    [InlineData("--max-batch", "0", "1 or more")]
    [InlineData("--max-body", "much", "a unit")]
    public void Serve_WithAWrongOption_NamesIt(string option, string value, string part) =>
        CliRun.Of(["serve", Model, option, value, .. option == "--port" ? Array.Empty<string>() : ["--port", "0"]]).Refused(2, part);

    [Fact]
    public void Serve_WithAnAdapterThatIsNotLora_NamesTheWay() => CliRun
        .Of("serve", Path.Combine(Fixtures.Folder, "base", "g2l"), "--tokenizer", Model, "--port", "0", "--adapter",
            "x=" + Path.Combine(Fixtures.Folder, "peft_ckpt", "g2l_dora_all"))
        .Refused(2, "'x'", "merge");

    /// <summary>A graph without a head, a WordPiece tokenizer and the files of sentence-transformers; the embedding is what
    /// ONNX Runtime's states make by hand, between [CLS] and [SEP].</summary>
    [Fact]
    public void Serve_OfAnEncoderWithoutAHead_GivesEmbeddingsAlone()
    {
        (HttpStatusCode Status, JsonNode? Body) embedding = default, chat = default;

        var run = CliRun.InterruptedAfter("Ctrl-C stops.", Ask, "serve", Encoder, "--port", "0", "--model-name", "enc");

        Assert.Equal(0, run.ExitCode);
        Assert.Equal(HttpStatusCode.OK, embedding.Status);
        var found = embedding.Body!["data"]![0]!["embedding"]!.AsArray().Select(static v => (float)v!);
        Assert.All(Pooled([2, 230, 231, 3]).Zip(found), static p => Assert.Equal(p.First, p.Second, 1e-5));
        Assert.Equal(HttpStatusCode.NotFound, chat.Status);
        Assert.Contains("no head", (string?)chat.Body!["error"]!["message"], StringComparison.Ordinal);

        void Ask(string said)
        {
            var address = Regex.Match(said, "http://[^;]*/").Value;
            using var client = new HttpClient { BaseAddress = new Uri(address), Timeout = TimeSpan.FromSeconds(60) };
            embedding = Post(client, "v1/embeddings", """{"model": "enc", "input": "Every parcel"}""");
            chat = Post(client, "v1/chat/completions", """{"model": "enc", "messages": [{"role": "user", "content": "x"}]}""");
        }
    }

    [Fact]
    public void Serve_OfAnEncoderThatDoesNotSayHowItIsPooled_NamesTheFile()
    {
        var folder = Directory.CreateTempSubdirectory("ortpeft-cli-").FullName;
        try
        {
            foreach (var name in (string[])["model.onnx", "tokenizer.json", "tokenizer_config.json"])
                File.Copy(Path.Combine(Encoder, name), Path.Combine(folder, name));

            CliRun.Of("serve", folder, "--port", "0").Refused(2, "no logits", "modules.json");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static (HttpStatusCode Status, JsonNode Body) Post(HttpClient client, string path, string body)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path)
        {
            Content = new StringContent(body, Encoding.UTF8, "application/json"),
        };
        using var response = client.Send(request);
        using var stream = response.Content.ReadAsStream();
        return (response.StatusCode, JsonNode.Parse(stream)!);
    }

    private static float[] Pooled(long[] ids)
    {
        using var session = new InferenceSession(Path.Combine(Encoder, "model.onnx"));
        using var options = new RunOptions();
        using var tokens = OrtValue.CreateTensorValueFromMemory(ids, [1, ids.Length]);
        using var mask = OrtValue.CreateTensorValueFromMemory<long>([.. ids.Select(static _ => 1L)], [1, ids.Length]);
        using var outputs = session.Run(options, ["input_ids", "attention_mask"], [tokens, mask], ["last_hidden_state"]);
        var states = outputs[0].GetTensorDataAsSpan<float>().ToArray();
        var width = states.Length / ids.Length;
        var sum = Enumerable.Range(0, width).Select(i => states.Where((_, at) => at % width == i).Sum()).ToArray();
        var length = MathF.Sqrt(sum.Sum(static v => v * v));
        return [.. sum.Select(v => v / length)];
    }
}
