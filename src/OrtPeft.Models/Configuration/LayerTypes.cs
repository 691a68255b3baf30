using System.Text.Json.Nodes;

namespace OrtPeft.Models.Configuration;

/// <summary>HF's fields of attention within a sliding window, which <c>layer_types</c> gives to some layers.</summary>
internal static class LayerTypes
{
    public const string UseField = "use_sliding_window";
    private const string Field = "layer_types";
    private const string SizeField = "sliding_window";
    private const string Full = "full_attention";
    private const string Sliding = "sliding_attention";

    /// <summary>Reads the window of some layers.</summary>
    /// <param name="fields">The file's fields.</param>
    /// <param name="layers">How many layers there are.</param>
    /// <param name="size">The window, or null where the file sets none.</param>
    /// <param name="slides">Whether a layer has it where <c>layer_types</c> does not say.</param>
    /// <param name="condition">When no layer may have it, for errors.</param>
    /// <returns>The window, or null where no layer has it.</returns>
    public static SlidingWindow? Read(
        ModelFields fields,
        int layers,
        int? size,
        Predicate<int> slides,
        string condition = $"{SizeField} is null")
    {
        var types = Types(fields, layers, [Full, Sliding]);
        int[] sliding = [.. Enumerable.Range(0, layers).Where(i => types is null ? slides(i) : types[i] == Sliding)];
        if (sliding.Length == 0)
            return null;
        if (size is { } window)
            return new SlidingWindow(window, sliding);
        fields.Refuse(Field, $"'{Sliding}' in layer {sliding[0]}", $"'{Full}' where {condition}");
        return null;
    }

    /// <summary>Reads them as Qwen2: without <c>layer_types</c>, the layers after a number of them slide.</summary>
    public static SlidingWindow? ReadFrom(ModelFields fields, int layers)
    {
        const int DefaultFrom = 28;
        var from = fields.Number("max_window_layers", DefaultFrom);
        var size = SizeInUse(fields);
        return Read(fields, layers, size, i => size is not null && i >= from, $"{UseField} is false");
    }

    /// <summary>The window where <c>use_sliding_window</c> turns it on.</summary>
    public static int? SizeInUse(ModelFields fields)
    {
        const int DefaultSize = 4096;
        fields.Know(SizeField);
        return fields.Flag(UseField, false) ? fields.OptionalCount(SizeField, DefaultSize) : null;
    }

    /// <summary>Reads a window that all layers have.</summary>
    /// <param name="fields">The file's fields.</param>
    /// <param name="layers">How many layers there are.</param>
    /// <param name="whenAbsent">The window where the field is absent.</param>
    public static SlidingWindow? ReadOfAll(ModelFields fields, int layers, int? whenAbsent) =>
        fields.OptionalCount(SizeField, whenAbsent) is { } size
            ? new SlidingWindow(size, Enumerable.Range(0, layers))
            : null;

    /// <summary>The window where the file or the family sets one.</summary>
    public static int? Size(ModelFields fields, int? whenAbsent) => fields.OptionalCount(SizeField, whenAbsent);

    /// <summary>Accepts <c>layer_types</c> where all layers are alike.</summary>
    public static void RequireFull(ModelFields fields, int layers) => Types(fields, layers, [Full]);

    /// <summary>Writes the window of some layers.</summary>
    public static void Write(SlidingWindow? window, int layers, JsonObject json)
    {
        json[SizeField] = window?.Size;
        json[Field] = new JsonArray(
            [.. Enumerable.Range(0, layers).Select(i => JsonValue.Create(window?.IsIn(i) == true ? Sliding : Full))]);
    }

    /// <summary>Writes a window that all layers have.</summary>
    public static void WriteOfAll(SlidingWindow? window, JsonObject json) => json[SizeField] = window?.Size;

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
