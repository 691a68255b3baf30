using Microsoft.ML.OnnxRuntime;
using OrtPeft.Tensors;

namespace OrtPeft.Runtime.Sessions;

/// <summary>A place where ONNX Runtime runs operators. Those that it cannot run there, the CPU does.</summary>
/// <seealso href="https://onnxruntime.ai/docs/execution-providers/"/>
public sealed class ExecutionProvider
{
    private readonly Action<SessionOptions> _append;

    private ExecutionProvider(string name, string ortName, string package, Action<SessionOptions> append)
    {
        (Name, OrtName, Package) = (name, ortName, package);
        _append = append;
    }

    /// <summary>All that there is a name for; a new one is a row here.</summary>
    public static IReadOnlyList<ExecutionProvider> All { get; } =
    [
        new("cpu", "CPUExecutionProvider", "Microsoft.ML.OnnxRuntime", static _ => { })
        {
            TakesKernels = true,
            ReadsHostMemory = true,
            HalfTypes = [ElementType.Float16],
        },
        new("cuda", "CUDAExecutionProvider", "Microsoft.ML.OnnxRuntime.Gpu and its CUDA libraries",
            static s =>
            {
                using var cuda = new OrtCUDAProviderOptions();
                cuda.UpdateOptions(new Dictionary<string, string> { ["use_tf32"] = "0" }); // float32 is float32, as on the CPU
                s.AppendExecutionProvider_CUDA(cuda);
            }) { MemoryName = "Cuda", HalfTypes = [ElementType.Float16, ElementType.BFloat16] },
        new("dml", "DmlExecutionProvider", "Microsoft.ML.OnnxRuntime.DirectML", static s =>
        {
            s.EnableMemoryPattern = false; // it refuses them
            s.AppendExecutionProvider_DML();
        }) { Lacks = ["Gelu", "ReduceSum(double)"], HalfTypes = [ElementType.Float16] },
        new("webgpu", "WebGpuExecutionProvider", "a build with WebGPU", static s => s.AppendExecutionProvider("WebGPU"))
        {
            MemoryName = "WebGPU_Buffer",
            HalfTypes = [ElementType.Float16],
            Lacks = ["LogSoftmax", "ConstantOfShape", "Sign", "ReduceSum(double)"],
        },
        new("coreml", "CoreMLExecutionProvider", "Microsoft.ML.OnnxRuntime on macOS", static s => s.AppendExecutionProvider("CoreML")),
        new("openvino", "OpenVINOExecutionProvider", "Intel.ML.OnnxRuntime.OpenVino", static s => s.AppendExecutionProvider("OpenVINO")),
        new("qnn", "QNNExecutionProvider", "Microsoft.ML.OnnxRuntime.QNN", static s => s.AppendExecutionProvider("QNN")),
    ];

    /// <summary>The name that <see cref="RuntimeOptions.Provider"/> takes.</summary>
    public string Name { get; }

    /// <summary>ONNX Runtime's name of it.</summary>
    public string OrtName { get; }

    /// <summary>Whether sessions on it run OrtPeft's fused operators.</summary>
    public bool TakesKernels { get; private init; }

    /// <summary>Whether sessions on it read what is bound to them where it lies, at each run. Elsewhere binding copies it
    /// to the device, once, and what changes afterwards must be bound again.</summary>
    internal bool ReadsHostMemory { get; private init; }

    /// <summary>The package that brings it.</summary>
    public string Package { get; }

    /// <summary>Whether the loaded ONNX Runtime was built with it; whether this machine has the device is another
    /// question.</summary>
    public bool IsInBuild => OrtEnv.Instance().GetAvailableProviders().Contains(OrtName);

    /// <summary>ONNX Runtime's name of its memory, in which what goes from run to run stays: caches of keys and values,
    /// parameters and moments. Null where they are in the machine's own.</summary>
    internal string? MemoryName { get; private init; }

    /// <summary>Operators of training and evaluation graphs that it has no kernel for, or none for their first input's type,
    /// and others stand in for; empty for most.</summary>
    internal IReadOnlyList<string> Lacks { get; private init; } = [];

    /// <summary>The types beside float32 in which training graphs multiply there; the CPU, which has no kernels of float16,
    /// rounds to it.</summary>
    internal IReadOnlyList<ElementType> HalfTypes { get; private init; } = [];

    /// <summary>Finds a provider.</summary>
    /// <param name="name">Its name.</param>
    /// <exception cref="SettingException">There is none of the name.</exception>
    public static ExecutionProvider Named(string name) => All.FirstOrDefault(p => p.Name == name)
        ?? throw new SettingException(
            $"Provider is '{name}'; it must be one of {string.Join(", ", All.Select(static p => p.Name))}.");

    /// <summary>Tries whether sessions can be opened on it.</summary>
    /// <returns>The reason why not; null where they can.</returns>
    public string? WhyNot()
    {
        if (!IsInBuild)
            return $"this ONNX Runtime was built without it; use {Package}";
        try
        {
            using var settings = new SessionOptions();
            AppendTo(settings);
            return null;
        }
        catch (SettingException e)
        {
            return e.InnerException!.Message.ReplaceLineEndings(" ").Trim();
        }
    }

    /// <summary>Makes sessions run on it.</summary>
    /// <exception cref="SettingException">This build of ONNX Runtime or this machine lacks it.</exception>
    internal void AppendTo(SessionOptions settings)
    {
        try
        {
            _append(settings);
        }
        catch (Exception e) when (e is EntryPointNotFoundException or OnnxRuntimeException or NotSupportedException)
        {
            throw new SettingException(
                $"Provider is '{Name}', which this build of ONNX Runtime or this machine lacks; use {Package}, or the provider "
                + $"cpu. ({e.Message.ReplaceLineEndings(" ").Trim()})",
                e);
        }
    }
}
