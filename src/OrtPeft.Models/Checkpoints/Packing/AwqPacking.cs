using OrtPeft.Models.Configuration;

namespace OrtPeft.Models.Checkpoints.Packing;

/// <summary>
/// AWQ for GEMM kernels: <c>qweight</c> [in, out / 8], <c>qzeros</c> [groups, out / 8] and <c>scales</c> [groups, out];
/// w = (q − z) · scale. The eight outputs of a word stand in the order 0, 2, 4, 6, 1, 3, 5, 7.
/// </summary>
/// <seealso href="https://arxiv.org/abs/2306.00978">Lin et al., AWQ.</seealso>
internal static class AwqPacking
{
    private const int Bits = 4;
    private const int PerWord = 8;

    /// <summary>Where each of eight outputs stands in a word.</summary>
    private static readonly int[] Places = [0, 4, 1, 5, 2, 6, 3, 7];

    public static MatrixReader Reader(ModelFields section)
    {
        const string BitsField = "bits";
        const string VersionField = "version";
        const string Otherwise = "fetch the model before quantization";
        var bits = section.Count(BitsField, section.Count("w_bit", Bits));
        var version = section.Text(VersionField, "gemm");
        var group = GptqPacking.GroupSize(section);
        if (bits != Bits)
            throw section.Broken(BitsField, $"{bits}", $"{Bits}; {Otherwise}");
        if (!version.Equals("gemm", StringComparison.OrdinalIgnoreCase))
            throw section.Broken(VersionField, $"'{version}'", $"gemm; {Otherwise}");
        if (!section.Flag("zero_point", true))
            throw section.Broken("zero_point", "false", $"true; {Otherwise}");
        return (module, outputs, inputs, tensors) => Read(module, outputs, inputs, tensors, group);
    }

    private static PackedWeight? Read(
        string module, int outputs, int inputs, PackedTensors tensors, int? groupSize)
    {
        if (!tensors.Has($"{module}.qweight"))
            return null;
        var size = Math.Min(groupSize ?? inputs, inputs);
        var groups = GroupedIntegers.Groups(inputs, size);
        if (outputs % PerWord != 0)
            throw tensors.Broken($"'{module}' has {outputs} outputs, not a multiple of {PerWord}");
        var words = tensors.Int32($"{module}.qweight", inputs, outputs / PerWord);
        var zeros = tensors.Int32($"{module}.qzeros", groups, outputs / PerWord);
        var scales = tensors.Floats($"{module}.scales", groups, outputs);
        var grouped = new GroupedIntegers(outputs, inputs, size, Bits);
        for (var o = 0; o < outputs; o++)
        {
            for (var i = 0; i < inputs; i++)
                grouped.SetValue(o, i, At(words, i, o));
            for (var g = 0; g < groups; g++)
                grouped.SetGroup(o, g, scales[(g * outputs) + o], At(zeros, g, o));
        }

        return PackedWeight.Of($"{module}.weight", grouped.ToTensor());

        int At(int[] rows, int row, int o) =>
            GptqPacking.Field(rows[((row * outputs) + o) / PerWord], Places[o % PerWord], Bits);
    }
}
