using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OrtPeft.Adapters.Lora;
using OrtPeft.Testing;
using OrtPeft.Training.Metrics;

namespace OrtPeft.Text.Tests;

public sealed class OrtPeftServicesTests
{
    [Fact]
    public void AddOrtPeft_GivesOneGeneratorForTheApp_WithTheAdapter()
    {
        using var folder = new TemporaryFolder();
        var model = SmallGpt2.Open();
        var adapted = model.AddAdapter(new LoraConfig { R = 8, InitLoraWeights = false, LoraAlpha = 256 }, seed: 1);
        adapted.Save(folder.Path);
        using var expected = model.OpenGenerator(adapted);
        using var services = new ServiceCollection()
            .AddOrtPeft(o => (o.Model, o.Adapter) = (SmallGpt2.Folder, folder.Path)).BuildServiceProvider();

        var generator = services.GetRequiredService<TextGenerator>();

        Assert.Same(generator, services.GetRequiredService<TextGenerator>());
        Assert.Equal(expected.Generate("Gets the"), generator.Generate("Gets the"));
    }

    [Fact]
    public void AddOrtPeft_WithoutAModel_SaysWhatIsMissing()
    {
        using var services = new ServiceCollection().AddOrtPeft(static _ => { }).BuildServiceProvider();

        var error = Assert.Throws<Tensors.SettingException>(services.GetRequiredService<TextGenerator>);

        Assert.Contains("OrtPeftOptions.Model", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AddOrtPeft_WarnsInTheAppsLog()
    {
        using var folder = new TemporaryFolder();
        var log = new ListLog<TextModel>();
        using var services = new ServiceCollection().AddSingleton<ILogger<TextModel>>(log)
            .AddOrtPeft(static o => o.Model = SmallGpt2.Folder).BuildServiceProvider();
        File.WriteAllText(folder["rows.jsonl"], """{"text":"Gets the name.","label":"unread"}""");

        services.GetRequiredService<TextModel>().ReadRows(folder["rows.jsonl"]);

        Assert.Contains(
            log.Lines, static l => l.Level == LogLevel.Warning && l.Text.Contains("label", StringComparison.Ordinal));
    }

    [Fact]
    public void LoggedProgress_TellsEvaluationsAndCheckpoints_AndStepsForDebugging()
    {
        var log = new ListLog<TextModel>();
        var step = new StepMetrics
        {
            Step = 3,
            Epoch = 1,
            Loss = 2.5,
            LearningRate = 0.125,
            GradNorm = 1,
            Tokens = 4,
            TokensPerSecond = 4,
            Seconds = 1,
        };

        new LoggedProgress(log).Report(
            new(step, 6, TimeSpan.Zero, new EvaluationMetrics { Step = 3, Loss = 0 }, "a/checkpoint.safetensors"));

        Assert.Equal(
            [
                (LogLevel.Debug, "Step 3 of 6: loss 2.5, learning rate 0.125"),
                (LogLevel.Information, "Step 3: evaluation loss 0, perplexity 1"),
                (LogLevel.Information, "Step 3: wrote a/checkpoint.safetensors"),
            ],
            log.Lines);
    }

    private sealed class ListLog<T> : ILogger<T>
    {
        public List<(LogLevel Level, string Text)> Lines { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel,
            EventId eventId,
            TState state,
            Exception? exception,
            Func<TState, Exception?, string> formatter) => Lines.Add((logLevel, formatter(state, exception)));
    }
}
