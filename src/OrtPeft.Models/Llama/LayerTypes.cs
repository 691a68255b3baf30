using System.Text.Json.Nodes;
using OrtPeft.Models.Configuration;

namespace OrtPeft.Models.Llama;

/// <summary>HF's fields of attention within a sliding window, which <c>layer_types</c> gives to some layers.</summary>
internal static class LayerTypes
{
    private const string Field = "layer_types";
    private const string UseField = "use_sliding_window";
    private const string SizeField = "sliding_window";
    private const string FromField = "max_window_layers";
    private const string Full = "full_attention";
    private const string Sliding = "sliding_attention";

    /// <summary>Reads them as Qwen2: without <c>layer_types</c>, the layers behind a number of them slide.</summary>
    public static SlidingWindow? Read(ModelFields fields, int layers)
    {
        const int DefaultSize = 4096;
        const int DefaultFrom = 28;
        var types = Types(fields, layers, [Full, Sliding]);
        var from = fields.Number(FromField, DefaultFrom);
        fields.Know(SizeField);
        var size = fields.Flag(UseField, false) ? fields.OptionalCount(SizeField, DefaultSize) : null;
        int[] sliding = [.. Enumerable.Range(0, layers).Where(i => types is null ? i >= from : types[i] == Sliding)];
        if (size is { } window)
            return sliding.Length > 0 ? new SlidingWindow(window, sliding) : null;
        if (types is not null && sliding.Length > 0)
            fields.Refuse(Field, $"'{Sliding}' in layer {sliding[0]}", $"'{Full}' where {UseField} is false");
        return null;
    }

    /// <summary>Accepts <c>layer_types</c> where all layers are alike.</summary>
    public static void RequireFull(ModelFields fields, int layers) => Types(fields, layers, [Full]);

    public static void Write(SlidingWindow? window, int layers, JsonObject json)
    {
        json[UseField] = window is not null;
        if (window is null)
            return;
        json[SizeField] = window.Size;
        json[Field] = new JsonArray(
            [.. Enumerable.Range(0, layers).Select(i => JsonValue.Create(window.IsIn(i) ? Sliding : Full))]);
    }

    private static string[]? Types(ModelFields fields, int layers, string[] allowed)
    {
        if (fields.Texts(Field) is not { } types)
            return null;
        if (types.Length != layers)
            fields.Refuse(Field, $"a list of {types.Length}", $"one of {layers}, as num_hidden_layers has");
        else if (types.FirstOrDefault(type => !allowed.Contains(type)) is { } other)
            fields.Refuse(Field, $"'{other}' in layer {Array.IndexOf(types, other)}", string.Join(" or ", allowed));
        else
            return types;
        return null;
    }
}
