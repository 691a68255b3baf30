using System.Runtime.InteropServices;
using OrtPeft.Cli.Errors;

namespace OrtPeft.Cli.Exports;

/// <summary>
/// ONNX Runtime GenAI's native library, where this machine has it: the command does not bring it. It is looked for where
/// <see cref="Variable"/> says, then among NuGet's packages, where an app that uses it has put it.
/// </summary>
/// <seealso href="https://github.com/microsoft/onnxruntime-genai/blob/main/src/ort_genai_c.h">Its functions.</seealso>
internal sealed class GenAiLibrary
{
    /// <summary>The environment variable with the library's path.</summary>
    public const string Variable = "ORTPEFT_GENAI";

    private const string Package = "microsoft.ml.onnxruntimegenai";

    private readonly nint _library;

    private GenAiLibrary(nint library) => _library = library;

    private delegate nint Create(nint given, out nint made);

    private delegate nint CreateOfPath([MarshalAs(UnmanagedType.LPUTF8Str)] string path, out nint made);

    private delegate nint CreateOfTwo(nint one, nint other, out nint made);

    private delegate nint SetNumber(nint settings, [MarshalAs(UnmanagedType.LPUTF8Str)] string name, double value);

    private delegate nint AppendTokens(nint generator, int[] ids, nuint count);

    private delegate nint Load(
        nint adapters, [MarshalAs(UnmanagedType.LPUTF8Str)] string path, [MarshalAs(UnmanagedType.LPUTF8Str)] string name);

    private delegate nint Activate(nint generator, nint adapters, [MarshalAs(UnmanagedType.LPUTF8Str)] string name);

    private delegate nint Text(nint result);

    private delegate void Destroy(nint given);

    /// <summary>Loads it.</summary>
    /// <returns>The library, or null where it is not found.</returns>
    /// <exception cref="UsageException">The variable names what is not the library.</exception>
    public static GenAiLibrary? Find()
    {
        if (Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } path)
        {
            return NativeLibrary.TryLoad(path, out var named) && NativeLibrary.TryGetExport(named, "OgaCreateModel", out _)
                ? new GenAiLibrary(named)
                : throw new UsageException($"{Variable} is {path}, which is not ONNX Runtime GenAI's library; correct it, or unset it.");
        }

        return Packaged() is { } file && NativeLibrary.TryLoad(file, out var library) ? new GenAiLibrary(library) : null;
    }

    /// <summary>The logits after rows of tokens, of which the last one is run over the cache of those before.</summary>
    /// <param name="folder">GenAI's folder.</param>
    /// <param name="adapter">An adapter file that is active; null for none.</param>
    /// <param name="rows">The rows, of two tokens or more.</param>
    /// <param name="vocabulary">How many logits there are.</param>
    /// <exception cref="ResultException">GenAI refuses the folder, or fails.</exception>
    public IReadOnlyList<float[]> After(string folder, string? adapter, IReadOnlyList<int[]> rows, int vocabulary)
    {
        var owned = new Stack<(string Destroy, nint Handle)>();
        try
        {
            var model = Owned("OgaDestroyModel", Made(Of<CreateOfPath>("OgaCreateModel")(folder, out var handle), handle));
            var adapters = adapter is null
                ? 0
                : Owned("OgaDestroyAdapters", Made(Of<Create>("OgaCreateAdapters")(model, out handle), handle));
            if (adapter is not null)
                Check(Of<Load>("OgaLoadAdapter")(adapters, adapter, "proof"));
            var found = new List<float[]>();
            foreach (var row in rows)
            {
                var settings = Owned(
                    "OgaDestroyGeneratorParams", Made(Of<Create>("OgaCreateGeneratorParams")(model, out handle), handle));
                Check(Of<SetNumber>("OgaGeneratorParamsSetSearchNumber")(settings, "max_length", row.Length + 1));
                var generator = Owned(
                    "OgaDestroyGenerator", Made(Of<CreateOfTwo>("OgaCreateGenerator")(model, settings, out handle), handle));
                if (adapter is not null)
                    Check(Of<Activate>("OgaSetActiveAdapter")(generator, adapters, "proof"));
                var append = Of<AppendTokens>("OgaGenerator_AppendTokens");
                Check(append(generator, row[..^1], (nuint)(row.Length - 1)));
                Check(append(generator, row[^1..], 1));
                var logits = Owned("OgaDestroyTensor", Made(Of<Create>("OgaGenerator_GetLogits")(generator, out handle), handle));
                var data = Made(Of<Create>("OgaTensorGetData")(logits, out handle), handle);
                var numbers = new float[vocabulary];
                Marshal.Copy(data, numbers, 0, vocabulary);
                found.Add(numbers);
            }

            return found;
        }
        finally
        {
            while (owned.TryPop(out var last))
                Of<Destroy>(last.Destroy)(last.Handle);
        }

        nint Owned(string destroy, nint made)
        {
            owned.Push((destroy, made));
            return made;
        }
    }

    /// <summary>The newest package's library for this machine.</summary>
    private static string? Packaged()
    {
        var root = Environment.GetEnvironmentVariable("NUGET_PACKAGES") is { Length: > 0 } given
            ? given
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");
        var folder = Path.Combine(root, Package);
        var name = OperatingSystem.IsWindows() ? "onnxruntime-genai.dll"
            : OperatingSystem.IsMacOS() ? "libonnxruntime-genai.dylib"
            : "libonnxruntime-genai.so";
        return !Directory.Exists(folder) ? null : Directory.GetDirectories(folder)
            .OrderByDescending(static d => Version.TryParse(Path.GetFileName(d), out var version) ? version : new Version())
            .Select(d => Path.Combine(d, "runtimes", PortableName(), "native", name))
            .FirstOrDefault(File.Exists);
    }

    private static string PortableName()
    {
        var system = OperatingSystem.IsWindows() ? "win" : OperatingSystem.IsMacOS() ? "osx" : "linux";
        return $"{system}-{RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant()}";
    }

    private T Of<T>(string name)
        where T : Delegate => Marshal.GetDelegateForFunctionPointer<T>(NativeLibrary.GetExport(_library, name));

    private nint Made(nint result, nint made)
    {
        Check(result);
        return made;
    }

    private void Check(nint result)
    {
        if (result == 0)
            return;
        var message = Marshal.PtrToStringUTF8(Of<Text>("OgaResultGetError")(result));
        Of<Destroy>("OgaDestroyResult")(result);
        throw new ResultException(
            $"ONNX Runtime GenAI refuses what was exported: {message?.ReplaceLineEndings(" ").Trim()}; nothing was written. "
            + "--no-verify writes it all the same.");
    }
}
