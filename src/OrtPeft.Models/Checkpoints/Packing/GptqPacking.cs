using OrtPeft.Models.Configuration;

namespace OrtPeft.Models.Checkpoints.Packing;

/// <summary>
/// GPTQ: <c>qweight</c> [in · bits / 32, out] with the first input in the lowest bits, <c>qzeros</c> [groups,
/// out · bits / 32], <c>scales</c> [groups, out], and the group of each input in <c>g_idx</c>; w = (q − z) · scale. Of
/// 3 bits, some go on in the next word. The first version of the format holds z − 1.
/// </summary>
/// <seealso href="https://arxiv.org/abs/2210.17323">Frantar et al., GPTQ.</seealso>
internal static class GptqPacking
{
    private const int WordBits = 32;

    public static MatrixReader Reader(ModelFields section)
    {
        const string FormatField = "checkpoint_format";
        const string BitsField = "bits";
        const string Otherwise = "fetch the model before quantization";
        var bits = section.Count(BitsField, 4);
        var format = section.Text(FormatField, "gptq");
        var group = GroupSize(section);
        if (bits is not (2 or 3 or 4 or 8))
            throw section.Broken(BitsField, $"{bits}", $"2, 3, 4 or 8; {Otherwise}");
        if (format is not ("gptq" or "gptq_v2"))
            throw section.Broken(FormatField, $"'{format}'", $"gptq or gptq_v2; {Otherwise}");
        if (section.IsOn("dynamic"))
            throw section.Broken("dynamic", "set", $"none: layers of different kinds cannot be read; {Otherwise}");
        var offset = format == "gptq" ? 1 : 0;
        return (module, outputs, inputs, tensors) => Read(module, outputs, inputs, tensors, bits, group, offset);
    }

    /// <summary>Inputs of a group; −1 in the file stands for all.</summary>
    public static int? GroupSize(ModelFields section)
    {
        const string Field = "group_size";
        var size = section.OptionalNumber(Field) ?? 128;
        if (size == -1)
            return null;
        return size > 0 && size == Math.Floor(size) && size <= int.MaxValue
            ? (int)size
            : throw section.Broken(Field, FormattableString.Invariant($"{size}"), "a whole number from 1, or -1");
    }

    private static PackedWeight? Read(
        string module, int outputs, int inputs, PackedTensors tensors, int bits, int? groupSize, int offset)
    {
        if (!tensors.Has($"{module}.qweight"))
            return null;
        var whole = bits == 3 ? WordBits : WordBits / bits; // numbers that fill words
        var size = Math.Min(groupSize ?? inputs, inputs);
        var groups = GroupedIntegers.Groups(inputs, size);
        if (inputs % whole != 0 || outputs % whole != 0)
            throw tensors.Broken($"'{module}' has {inputs} inputs and {outputs} outputs, not multiples of {whole}");
        var zeroWords = (int)((long)outputs * bits / WordBits);
        var words = tensors.Int32($"{module}.qweight", (long)inputs * bits / WordBits, outputs);
        var zeros = tensors.Int32($"{module}.qzeros", groups, zeroWords);
        var scales = tensors.Floats($"{module}.scales", groups, outputs);
        var order = tensors.Has($"{module}.g_idx") ? tensors.Int32($"{module}.g_idx", inputs) : null;
        if (order?.FirstOrDefault(g => g < 0 || g >= groups, -1) is { } bad and not -1)
            throw tensors.Broken($"'{module}.g_idx' has {bad}, of {groups} groups");
        if (order is not null && order.Where((g, i) => g != i / size).Any())
            return PackedWeight.Of($"{module}.weight", Ordered(order), [outputs, inputs]);
        var grouped = new GroupedIntegers(outputs, inputs, size, bits);
        for (var o = 0; o < outputs; o++)
        {
            for (var i = 0; i < inputs; i++)
                grouped.SetValue(o, i, Value(o, i));
            for (var g = 0; g < groups; g++)
                grouped.SetGroup(o, g, scales[(g * outputs) + o], Zero(g, o));
        }

        return PackedWeight.Of($"{module}.weight", grouped.ToTensor());

        int Value(int o, int i) => Field(words, o, outputs, i, bits);

        // Programs read z − 1 of all bits as different numbers: as 2ᵇ, as 0, or with a carry.
        int Zero(int g, int o)
        {
            var zero = Field(zeros, g * zeroWords, 1, o, bits) + offset;
            return zero < 1 << bits ? zero : throw tensors.Broken(
                $"'{module}.qzeros' has a zero point of {zero}, which {bits} bits cannot hold");
        }

        // Inputs in another order than their groups (desc_act) have no blocks.
        float[] Ordered(int[] order)
        {
            var numbers = new float[(long)outputs * inputs];
            for (var o = 0; o < outputs; o++)
                for (var i = 0; i < inputs; i++)
                    numbers[(o * inputs) + i] = (Value(o, i) - Zero(order[i], o)) * scales[(order[i] * outputs) + o];
            return numbers;
        }
    }

    /// <summary>A field of a row of words, <paramref name="step"/> apart, which may go on in the next word.</summary>
    private static int Field(int[] words, int start, int step, int index, int bits)
    {
        var (word, first) = Math.DivRem(index * bits, WordBits);
        var at = start + (word * step);
        var field = (uint)words[at] >> first;
        if (first + bits > WordBits)
            field |= (uint)words[at + step] << (WordBits - first);
        return (int)field & ((1 << bits) - 1);
    }

    /// <summary>A field of a word.</summary>
    public static int Field(int word, int index, int bits) => (int)((uint)word >> (index * bits)) & ((1 << bits) - 1);
}
