using System.Diagnostics.CodeAnalysis;
using OrtPeft.Adapters;
using OrtPeft.Adapters.Merging;
using OrtPeft.Adapters.Several;
using OrtPeft.Inference.Generation;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Passes;
using OrtPeft.Onnx.Serialization;
using OrtPeft.Runtime.Sessions;
using OrtPeft.Serving.Engine;
using OrtPeft.Testing;

namespace OrtPeft.Serving.Tests.Engine;

/// <summary>An engine over a graph and adapters of the fixtures, and what each request gives alone.</summary>
internal sealed class Engines : IDisposable
{
    public static readonly RuntimeOptions OneThread = new() { Threads = 1 };

    private readonly Model _model;
    private readonly List<Generator> _generators = [];

    private Engines(Model model, LoraSlots slots, BatchEngine engine, IReadOnlyList<EngineSlot> adapters)
    {
        (_model, Slots, Engine, Adapters) = (model, slots, engine, adapters);
    }

    public LoraSlots Slots { get; }

    public BatchEngine Engine { get; }

    /// <summary>The base, then the adapters.</summary>
    public IReadOnlyList<EngineSlot> Adapters { get; }

    [SuppressMessage("Reliability", "CA2000", Justification = "The result owns the engine.")]
    public static Engines Open(string graph, string[] adapters, ServingOptions? options = null)
    {
        var model = OnnxFile.Load(Path.Combine(Fixtures.Folder, graph));
        options = (options ?? new ServingOptions()) with { Runtime = OneThread };
        var (slots, factors) = LoraSlots.Of(
            DecoderNaming.Named(model), canonical => [.. adapters.Select(a => Read(canonical, a))], options.AllowsLoading);
        var engine = BatchEngine.Open(slots, options);
        var result = new Engines(
            model, slots, engine, [engine.Base, .. factors.Select(f => engine.Add(f).GetAwaiter().GetResult())]);
        result._generators.Add(Generator.Open(model, OneThread));
        result._generators.AddRange(adapters.Select(result.GeneratorOf));
        return result;
    }

    public static Adapter Read(Model canonical, string adapter)
    {
        var folder = FolderOf(adapter);
        return Adapter.For(
            adapter, canonical, AdapterFolder.LoadConfig(folder), AdapterFolder.LoadWeights(folder), folder, seed: 0);
    }

    /// <summary>The adapter alone; of a quantised base with its products beside those that ONNX Runtime computes with rounded
    /// activations, as they are served.</summary>
    public Generator GeneratorOf(string adapter)
    {
        var adapted = PeftModel.Load(_model, FolderOf(adapter));
        var isQuantized = _model.Graph.Nodes.Any(static n => n.OpType == "MatMulNBits");
        return Generator.Open(
            isQuantized ? adapted.MergeAs(MergeForm.Branches).Model : adapted.ForInference(), OneThread);
    }

    public int[] Alone(int adapter, int[] prompt, GenerationOptions options) =>
        [.. _generators[adapter].Generate(prompt, options)];

    public async Task<int[]> Together(
        int adapter, int[] prompt, GenerationOptions options, CancellationToken cancellation = default) =>
        await Read(Engine.Start(Adapters[adapter], prompt, options, likeliest: null, cancellation));

    public static async Task<int[]> Read(EngineRequest request)
    {
        var tokens = new List<int>();
        await foreach (var token in request.Tokens.ReadAllAsync())
            tokens.Add(token.Id);
        return [.. tokens];
    }

    public void Dispose()
    {
        Engine.Dispose();
        foreach (var generator in _generators)
            generator.Dispose();
    }

    private static string FolderOf(string adapter) => Path.Combine(Fixtures.Folder, adapter);
}
