using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Loader;

// Sessions share one device.
[assembly: CollectionBehavior(DisableTestParallelization = true)]

namespace OrtPeft.WebGpu.Tests;

/// <summary>A WebGPU device in software: Chromium's SwiftShader under the native ONNX Runtime of the npm package
/// onnxruntime-node, which NuGet's package lacks. The managed part has to be of the native one's version.</summary>
internal static partial class SoftwareDevice
{
    private const string Driver = "/usr/lib/chromium/vk_swiftshader_icd.json";

    /// <summary>What is missing here; null where tests can run.</summary>
    public static string? WhyNot =>
        !OperatingSystem.IsLinux() || RuntimeInformation.ProcessArchitecture != Architecture.X64 ? "Needs Linux on x64."
        : !File.Exists(Path.Combine(AppContext.BaseDirectory, "libonnxruntime.so")) ? "Run scripts/node-packages.sh first."
        : !File.Exists(Driver) ? "Chromium is not installed."
        : !NativeLibrary.TryLoad("libvulkan.so.1", out _) ? "libvulkan1 is not installed."
        : null;

    [ModuleInitializer]
    [System.Diagnostics.CodeAnalysis.SuppressMessage("Usage", "CA2255", Justification = "Before anything loads ONNX Runtime.")]
    internal static void Prepare()
    {
        AssemblyLoadContext.Default.Resolving += static (context, name) => name.Name == "Microsoft.ML.OnnxRuntime"
            ? context.LoadFromAssemblyPath(Path.Combine(AppContext.BaseDirectory, "webgpu", "Microsoft.ML.OnnxRuntime.dll"))
            : null;
        if (WhyNot is not null)
            return;
        // .NET's own copy of the environment is not what the loader of Vulkan reads.
        _ = SetVariable("VK_ICD_FILENAMES", Driver, 1);
        _ = SetVariable("XDG_RUNTIME_DIR", Path.GetTempPath(), 0);
    }

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int SetVariable(string name, string value, int overwrite);
}
