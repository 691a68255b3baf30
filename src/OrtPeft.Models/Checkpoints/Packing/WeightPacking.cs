using OrtPeft.Models.Configuration;

namespace OrtPeft.Models.Checkpoints.Packing;

/// <summary>Reads a linear layer's matrix, [out, in], out of the tensors that hold it in few bits.</summary>
/// <param name="module">The layer's path.</param>
/// <param name="outputs">Its outputs.</param>
/// <param name="inputs">Its inputs.</param>
/// <param name="tensors">The checkpoint.</param>
/// <returns>The matrix, or null where the checkpoint does not hold it so.</returns>
internal delegate PackedWeight? MatrixReader(string module, int outputs, int inputs, PackedTensors tensors);

/// <summary>The ways of holding matrices in few bits, by the <c>quant_method</c> of a
/// <c>quantization_config</c>.</summary>
internal static class WeightPacking
{
    public const string Section = "quantization_config";

    private static readonly (string Method, Func<ModelFields, MatrixReader> Read)[] Rows =
    [
        ("gptq", GptqPacking.Reader),
        ("awq", AwqPacking.Reader),
        ("bitsandbytes", static _ => BitsAndBytesPacking.Read),
    ];

    /// <summary>Reads how a checkpoint's matrices are held.</summary>
    /// <param name="section">The fields of the <c>quantization_config</c>.</param>
    /// <exception cref="ModelConfigException">It is of another method, or a field is not supported.</exception>
    public static MatrixReader Reader(ModelFields section)
    {
        const string Field = "quant_method";
        var method = section.Text(Field, "");
        return Rows.FirstOrDefault(row => row.Method == method).Read?.Invoke(section) ?? throw section.Broken(
            Field,
            $"'{method}'",
            $"one of {string.Join(", ", Rows.Select(static row => row.Method))}; fetch the model before quantization");
    }
}
