using System.Diagnostics.CodeAnalysis;
using Microsoft.ML.OnnxRuntime;
using OrtPeft.Kernels;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Serialization;
using OrtPeft.Runtime.Feeding;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Storage;

namespace OrtPeft.Runtime.Sessions;

/// <summary>
/// An ONNX Runtime session of a model. Weights are not copied into the session: it reads them where they are, usually
/// in a mapped file, so several sessions share one copy. Opening and running are thread-safe. Dispose it to free ONNX
/// Runtime's memory.
/// </summary>
internal sealed class ModelSession : IDisposable
{
    private static readonly Lock _firstWithKernels = new();

    private static volatile bool _domainIsKnown;

    private readonly Ownership _owned = new();

    private ModelSession(Model model, RuntimeOptions options)
    {
        try
        {
            Session = _owned.Of(OpenSession(model, options));
        }
        catch (OnnxRuntimeException e) when (RefusedGraph.Is(e))
        {
            _owned.Dispose();
            throw new GraphException(
                $"ONNX Runtime refuses the graph '{model.Graph.Name}' (opset {model.Opset}): " +
                $"{RefusedGraph.Reason(e)}; export the model again.",
                e);
        }
        catch (OnnxRuntimeException e)
        {
            _owned.Dispose();
            throw SessionException.Of($"The graph '{model.Graph.Name}'", e);
        }
        catch
        {
            _owned.Dispose();
            throw;
        }
    }

    /// <summary>The session.</summary>
    public InferenceSession Session { get; }

    /// <summary>Opens a session.</summary>
    /// <param name="model">The model; its weights must not change while the session lives.</param>
    /// <param name="options">How to run it; the CPU with all cores when left out.</param>
    /// <returns>The session.</returns>
    /// <exception cref="GraphException">ONNX Runtime refuses a node of the graph.</exception>
    /// <exception cref="SessionException">There is not enough memory.</exception>
    public static ModelSession Open(Model model, RuntimeOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        return new ModelSession(model, options ?? new RuntimeOptions());
    }

    /// <inheritdoc/>
    public void Dispose() => _owned.Dispose();

    private InferenceSession OpenSession(Model model, RuntimeOptions options)
    {
        var packs = options.Prepacking ?? PackedMatrices.Fit(model);
        using var settings = SessionSettings.Create(options with { Prepacking = packs });
        var takesKernels = model.Opsets.ContainsKey(FusedOp.Domain);
        if (takesKernels)
            KernelDomain.AddTo(settings.DangerousGetHandle());
        var mapped = model.Graph.Initializers.Where(static v => v.Initializer!.Data is MappedTensorData).ToArray();
        var folder = mapped.Length == 0 ? null : Path.GetDirectoryName(FileOf(mapped[0]).Place);
        if (folder is not null)
            settings.AddSessionConfigEntry("session.model_external_initializers_file_folder_path", folder);
        // ONNX Runtime takes no tensors of 4-bit elements from outside; those it maps itself, from the same file.
        foreach (var constant in mapped.Where(v => IsIn(v, folder) && v.Type.BitSize() >= 8))
            Supply(constant, settings);
        var standIn = folder is null ? null : Path.GetFileName(FileOf(mapped[0]).Place);
        var aligned = model.Graph.Initializers.Where(static v => v.Initializer!.Data is AlignedTensorData);
        foreach (var constant in standIn is null ? [] : aligned)
            Supply(constant, settings);
        using var originals = packs ? new ReleasedPages(mapped.Select(FileOf)) : null;
        var bytes = OnnxFile.ToBytes(model, folder, standIn);
        return takesKernels ? OpenWithKernels(bytes, settings) : new InferenceSession(bytes, settings);
    }

    /// <summary>The first session of a process that has a domain of further operators makes it known to ONNX Runtime: a
    /// second that opens meanwhile would be refused, because the domain is there already.</summary>
    private static InferenceSession OpenWithKernels(byte[] bytes, SessionOptions settings)
    {
        if (_domainIsKnown)
            return new InferenceSession(bytes, settings);
        lock (_firstWithKernels)
        {
            var session = new InferenceSession(bytes, settings);
            _domainIsKnown = true;
            return session;
        }
    }

    private static bool IsIn(Value constant, string? folder) =>
        Path.GetDirectoryName(FileOf(constant).Place) == folder;

    private static MappedFile FileOf(Value constant) => ((MappedTensorData)constant.Initializer!.Data).File;

    /// <summary>
    /// Hands the mapped bytes over, so that all sessions use the one mapping instead of each its own.
    /// </summary>
    [SuppressMessage("Reliability", "CA2000", Justification = "The session owns the value.")]
    private void Supply(Value constant, SessionOptions options)
    {
        var tensor = constant.Initializer!;
        var pin = _owned.Of(tensor.Data.Pin());
        var value = _owned.Of(TensorValues.Over(pin, tensor.Type, [.. tensor.Dims]));
        options.AddInitializer(constant.Name, value);
    }
}
