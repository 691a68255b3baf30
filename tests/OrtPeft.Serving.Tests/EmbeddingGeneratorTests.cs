using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using OrtPeft.Serving.Chat;
using OrtPeft.Serving.Tests.Embeddings;

namespace OrtPeft.Serving.Tests;

public sealed class EmbeddingGeneratorTests : IDisposable
{
    private readonly SentenceFolder _folder = new();
    private readonly ServiceProvider _app;
    private readonly IEmbeddingGenerator<string, Embedding<float>> _generator;

    public EmbeddingGeneratorTests()
    {
        _app = new ServiceCollection()
            .AddOrtPeftChatClient(options =>
            {
                options.Model = _folder.Model;
                options.Adapters["one"] = _folder.Adapter;
                options.Serving = new ServingOptions { Runtime = Engine.Engines.OneThread };
            })
            .AddOrtPeftEmbeddingGenerator()
            .BuildServiceProvider();
        _generator = _app.GetRequiredService<IEmbeddingGenerator<string, Embedding<float>>>();
    }

    [Fact]
    public async Task Generate_WithAnAdapterPerRequest_GivesItsEmbeddingsInOrder()
    {
        string[] texts = ["Gets the value.", "Sets"];
        foreach (var adapter in new[] { null, "one" })
        {
            var found = await _generator.GenerateAsync(texts, new EmbeddingGenerationOptions { ModelId = adapter, Dimensions = 100 });

            Assert.Equal(2, found.Count);
            Assert.Equal(texts.Sum(t => _folder.Text.Tokenizer.Encode(t).Count), found.Usage!.InputTokenCount);
            foreach (var (text, embedding) in texts.Zip(found))
            {
                var expected = SentenceFolder.Normalized(SentenceFolder.Pooled(_folder.States(text, adapter is not null), "mean")[..100]);
                Assert.All(expected.Zip(embedding.Vector.ToArray()), static p => Assert.Equal(p.First, p.Second, 2e-5));
                Assert.Equal(adapter ?? "model", embedding.ModelId);
            }
        }
    }

    [Fact]
    public async Task Generate_WithWhatIsNotThere_IsRefused()
    {
        await Assert.ThrowsAsync<UnknownModelException>(
            () => _generator.GenerateAsync(["x"], new EmbeddingGenerationOptions { ModelId = "no" }));
        await Assert.ThrowsAnyAsync<ArgumentException>(
            () => _generator.GenerateAsync(["x"], new EmbeddingGenerationOptions { Dimensions = 129 }));
    }

    [Fact]
    public void Services_ShareOneModel()
    {
        var served = _app.GetRequiredService<ServedModel>();

        Assert.Same(served, _generator.GetService<ServedModel>());
        Assert.Same(served, _app.GetRequiredService<IChatClient>().GetService<ServedModel>());
        Assert.Equal(128, _generator.GetService<EmbeddingGeneratorMetadata>()!.DefaultModelDimensions);
    }

    [Fact]
    public void Generator_OverAModelWithoutPooling_IsRefused()
    {
        File.Delete(Path.Combine(_folder.Model, "modules.json"));
        using var served = _folder.Open();

        var error = Assert.Throws<NotSupportedException>(() => new OrtPeftEmbeddingGenerator(served));

        Assert.Contains("modules.json", error.Message, StringComparison.Ordinal);
    }

    public void Dispose()
    {
        _generator.Dispose();
        _app.Dispose();
        _folder.Dispose();
    }
}
