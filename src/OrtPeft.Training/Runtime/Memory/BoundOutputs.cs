using Microsoft.ML.OnnxRuntime;

namespace OrtPeft.Training.Runtime.Memory;

/// <summary>Binds outputs to a device and takes what was made there.</summary>
internal static class BoundOutputs
{
    /// <summary>Lets the next run write an output into the value's spare buffer, or make that.</summary>
    public static void BindSpare(this OrtIoBinding binding, string name, TurningValue value, OrtMemoryInfo memory)
    {
        if (value.Spare is { } spare)
            binding.BindOutput(name, spare);
        else
            binding.BindOutputToDevice(name, memory);
    }

    /// <summary>Takes some outputs of the last run.</summary>
    /// <param name="binding">What was run.</param>
    /// <param name="names">The outputs' names.</param>
    /// <returns>Handles of them, which are the caller's, in the names' order.</returns>
    public static OrtValue[] Take(this OrtIoBinding binding, IReadOnlyList<string> names)
    {
        var made = binding.GetOutputNames().Zip(binding.GetOutputValues()).ToDictionary(StringComparer.Ordinal);
        OrtValue[] taken = [.. names.Select(name => made[name])];
        foreach (var (name, value) in made)
        {
            if (!names.Contains(name))
                value.Dispose();
        }

        return taken;
    }
}
