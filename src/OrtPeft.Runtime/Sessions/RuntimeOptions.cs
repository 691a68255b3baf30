using OrtPeft.Kernels;
using OrtPeft.Tensors;

namespace OrtPeft.Runtime.Sessions;

/// <summary>How ONNX Runtime runs a model.</summary>
public sealed record RuntimeOptions
{
    /// <summary>Threads that share one operator's work; 0 (default) takes all cores.</summary>
    public int Threads { get; init; }

    /// <summary>Where operators run: a name of <see cref="ExecutionProvider.All"/>, <c>cpu</c> by default.</summary>
    public string Provider { get; init; } = "cpu";

    /// <summary>
    /// Whether constant matrices are copied into the order that the CPU multiplies fastest; the mapped originals are
    /// then given back to the system. The copies take as much memory as the matrices: once where OrtPeft's own kernel
    /// multiplies in training; else, by ONNX Runtime, once for each direction. Null (default) copies
    /// where that takes at most half of the memory, by ONNX Runtime an eighth and nothing of a quantised model.
    /// </summary>
    public bool? Prepacking { get; init; }

    /// <summary>Whether OrtPeft's kernel multiplies with constant matrices in training, rather than ONNX Runtime's. Null
    /// (default) takes the faster one, see <see cref="FasterProducts"/>. Both give the same to rounding.</summary>
    public bool? OwnProducts { get; init; }

    /// <summary>
    /// Whether ONNX Runtime keeps, for every shape of input it has seen, a block of memory that holds all of a run's
    /// values. Default true. It saves a little time and costs memory: in training some 30 % more at the peak.
    /// </summary>
    public bool MemoryPatterns { get; init; } = true;

    /// <summary>
    /// Where ONNX Runtime writes each node's time, as Chrome's trace format, when the session is closed: what the
    /// file's path begins with. Null (default) to measure nothing.
    /// </summary>
    public string? ProfilePrefix { get; init; }

    /// <summary>ONNX Runtime's name of the memory in which what goes from run to run stays on the device: the provider's,
    /// null where that is the machine's own.</summary>
    internal string? DeviceMemory
    {
        get => field ?? ExecutionProvider.Named(Provider).MemoryName;
        init;
    }

    /// <summary>Whether such a session runs OrtPeft's fused operators: on the CPU, where the native library takes
    /// custom operators.</summary>
    public bool TakesKernels => ExecutionProvider.Named(Provider).TakesKernels && KernelDomain.IsAvailable;

    /// <summary>See <see cref="ExecutionProvider.ReadsHostMemory"/>.</summary>
    internal bool ReadsHostMemory => ExecutionProvider.Named(Provider).ReadsHostMemory;

    /// <summary>Tries whether ONNX Runtime takes these options on this machine, before a model is loaded for them.</summary>
    /// <exception cref="SettingException">The provider is unknown, or this build or machine lacks it.</exception>
    public void Validate() => SessionSettings.Create(this).Dispose();
}
