using System.Text.Json;
using OrtPeft.Onnx.Quantization;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Storage;

namespace OrtPeft.Models.Checkpoints.Packing;

/// <summary>
/// bitsandbytes. 8 bits: <c>weight</c> [out, in] int8 with the largest magnitude of each output in <c>SCB</c>. 4 bits:
/// codes two to a byte, the first in the high half, of a table that the file holds; the largest magnitude of each block
/// is a number, or again a code of a table.
/// </summary>
/// <seealso href="https://arxiv.org/abs/2305.14314">Dettmers et al., QLoRA, section 3.</seealso>
internal static class BitsAndBytesPacking
{
    private const string State = ".weight.quant_state.bitsandbytes__";

    public static PackedWeight? Read(string module, int outputs, int inputs, PackedTensors tensors) =>
        tensors.Has($"{module}.SCB") ? Bytes(module, outputs, inputs, tensors)
        : tensors.Has($"{module}.weight.absmax") ? Nibbles(module, outputs, inputs, tensors)
        : null;

    private static PackedWeight Bytes(string module, int outputs, int inputs, PackedTensors tensors)
    {
        const float Largest = 127;
        if (tensors.Find($"{module}.weight_format") is { } format && format.Data.Slice(0, 1)[0] != 0)
            throw tensors.Broken($"'{module}.weight_format' is not that of rows");
        var values = tensors.Bytes($"{module}.weight", ElementType.Int8, outputs, inputs);
        var scales = tensors.Floats($"{module}.SCB", outputs);
        return PackedWeight.Of($"{module}.weight", new QuantizedTensor(
            new Tensor(ElementType.Int8, [outputs, inputs], new MemoryTensorData(values)),
            Tensor.Of<float>([.. scales.Select(static s => s / Largest)], [outputs, 1]),
            ZeroPoints: null,
            RelativeError: 0)
        {
            Axis = 1,
            BlockSize = inputs,
        });
    }

    private static PackedWeight Nibbles(string module, int outputs, int inputs, PackedTensors tensors)
    {
        const int Codes = 16;
        var count = (long)outputs * inputs;
        var state = StateOf(module, tensors);
        var size = Number(state, "blocksize") ?? 0;
        if (size < 1 || count % 2 != 0 || !IsShape(state, outputs, inputs))
            throw tensors.Broken($"'{module}' has a state of blocks of {size}, or of another shape than [{outputs}, {inputs}]");
        var codes = tensors.Bytes($"{module}.weight", ElementType.UInt8, count / 2, 1);
        var table = tensors.Floats($"{module}.weight.quant_map", Codes);
        var largest = Largest(module, tensors, state, (int)((count + size - 1) / size));
        if (inputs % size != 0 || !table.AsSpan().SequenceEqual([.. CodeBook.NormalFloat4.Values]))
        {
            var numbers = Bnb4Codes.Numbers(codes, table, largest, size, count);
            return PackedWeight.Of($"{module}.weight", numbers, [outputs, inputs]);
        }

        var lowFirst = new MemoryTensorData(Bnb4Codes.LowFirst(codes));
        return PackedWeight.Of(
            $"{module}.weight", Bnb4Codes.NormalFloat4(lowFirst, outputs, inputs, largest, size));
    }

    /// <summary>The largest magnitude of each block.</summary>
    private static float[] Largest(string module, PackedTensors tensors, JsonElement state, int blocks)
    {
        const int Codes = 256;
        var name = $"{module}.weight.absmax";
        if (!tensors.Has($"{module}.weight.nested_absmax"))
            return tensors.Floats(name, blocks);
        var codes = tensors.Bytes(name, ElementType.UInt8, blocks);
        var size = Number(state, "nested_blocksize") ?? 0;
        if (size < 1 || !state.TryGetProperty("nested_offset", out var offset) || offset.ValueKind != JsonValueKind.Number)
            throw tensors.Broken($"'{module}' has a state without nested_blocksize or nested_offset");
        var table = tensors.Floats($"{module}.weight.nested_quant_map", Codes);
        var scales = tensors.Floats($"{module}.weight.nested_absmax", (blocks + size - 1) / size);
        return [.. codes.Select((code, i) => (table[code] * scales[i / size]) + offset.GetSingle())];
    }

    private static JsonElement StateOf(string module, PackedTensors tensors)
    {
        var kind = ((string[])["nf4", "fp4"]).FirstOrDefault(kind => tensors.Has($"{module}{State}{kind}"))
            ?? throw tensors.Broken($"lacks the tensor '{module}{State}nf4'");
        var name = $"{module}{State}{kind}";
        var tensor = tensors.Find(name)!;
        try
        {
            var text = tensors.Bytes(name, ElementType.UInt8, tensor.Count);
            using var document = JsonDocument.Parse(text);
            return document.RootElement.ValueKind == JsonValueKind.Object
                ? document.RootElement.Clone()
                : throw tensors.Broken($"'{name}' does not hold a JSON object");
        }
        catch (JsonException)
        {
            throw tensors.Broken($"'{name}' is not valid JSON");
        }
    }

    private static int? Number(JsonElement state, string field) =>
        state.TryGetProperty(field, out var value) && JsonFields.IsInteger(value, out var number) ? number : null;

    private static bool IsShape(JsonElement state, int outputs, int inputs) =>
        state.TryGetProperty("shape", out var shape) && shape.ValueKind == JsonValueKind.Array
        && shape.EnumerateArray().Select(static d => JsonFields.IsInteger(d, out var n) ? n : -1)
            .SequenceEqual([outputs, inputs]);
}
