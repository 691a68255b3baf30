using OrtPeft.Adapters;
using OrtPeft.Inference.Generation;
using OrtPeft.Onnx;
using OrtPeft.Runtime.Sessions;
using OrtPeft.Serving;
using OrtPeft.Serving.Engine;
using OrtPeft.Tensors.Numerics;

namespace OrtPeft.Cli.Bench;

/// <summary>
/// Times requests that come all at once, to the plain model, to one with an adapter merged, and to one with 1, 8 and 64
/// adapters beside it that the requests take in turn. Tokens are random and answers of one length.
/// </summary>
internal static class ServingBenchmark
{
    private static readonly int[] Counts = [1, 8, 64];

    /// <summary>Runs it: every variant once per round, in turn.</summary>
    /// <param name="model">The base.</param>
    /// <param name="peft">The base with an adapter, which says what all adapters are.</param>
    /// <param name="requests">Requests at a time.</param>
    /// <param name="promptTokens">Tokens of each prompt.</param>
    /// <param name="newTokens">Tokens of each answer.</param>
    /// <param name="rounds">Rounds that count.</param>
    /// <param name="vocabulary">Tokens are below it.</param>
    /// <param name="runtime">How ONNX Runtime runs.</param>
    /// <param name="clock">The clock.</param>
    /// <param name="cancellation">Stops between two runs.</param>
    public static IReadOnlyList<ServingTimes> Run(
        Model model,
        PeftModel peft,
        int requests,
        int promptTokens,
        int newTokens,
        int rounds,
        int vocabulary,
        RuntimeOptions runtime,
        TimeProvider clock,
        CancellationToken cancellation)
    {
        var options = new ServingOptions { MaxBatch = requests, Runtime = runtime };
        var random = new SplitMix64(0, "serving");
        int[][] prompts =
            [.. Enumerable.Range(0, requests).Select(_ => Enumerable.Range(0, promptTokens).Select(_ => random.NextBelow(vocabulary)).ToArray())];
        (string Name, Model Model, int Count)[] variants =
        [
            ("plain", model, 0), ("merged", peft.Merge(), 0), .. Counts.Select(n => ($"{n} beside", model, n)),
        ];
        var engines = new List<(BatchEngine Engine, IReadOnlyList<EngineSlot> Adapters)>();
        try
        {
            foreach (var (_, of, count) in variants)
                engines.Add(TrialEngine.Open(of, peft.Config, count, options));
            var times = variants.Select(static _ => new List<(double Seconds, double First)>()).ToArray();
            for (var round = -1; round < rounds; round++)
            {
                foreach (var (i, (engine, adapters)) in engines.Index())
                {
                    cancellation.ThrowIfCancellationRequested();
                    var measured = Measure(engine, adapters, prompts, newTokens, clock).GetAwaiter().GetResult();
                    if (round >= 0)
                        times[i].Add(measured);
                }
            }

            return [.. variants.Select((variant, i) => new ServingTimes(
                variant.Name,
                requests * newTokens / Median(times[i].Select(static r => r.Seconds)),
                Median(times[0].Zip(times[i], static (plain, own) => plain.Seconds / own.Seconds)),
                Median(times[i].Select(static r => r.First))))];
        }
        finally
        {
            foreach (var (engine, _) in engines)
                engine.Dispose();
        }
    }

    private static async Task<(double Seconds, double First)> Measure(
        BatchEngine engine, IReadOnlyList<EngineSlot> adapters, int[][] prompts, int newTokens, TimeProvider clock)
    {
        var started = clock.GetTimestamp();
        var options = new GenerationOptions { MaxNewTokens = newTokens };
        var first = await Task.WhenAll(prompts.Select((prompt, i) => Task.Run(async () =>
        {
            var slot = adapters.Count == 0 ? engine.Base : adapters[i % adapters.Count];
            var request = engine.Start(slot, prompt, options, null, CancellationToken.None);
            double? seconds = null;
            await foreach (var _ in request.Tokens.ReadAllAsync().ConfigureAwait(false))
                seconds ??= clock.GetElapsedTime(started).TotalSeconds;
            return seconds!.Value;
        }))).ConfigureAwait(false);
        return (clock.GetElapsedTime(started).TotalSeconds, Median(first));
    }

    private static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }
}
