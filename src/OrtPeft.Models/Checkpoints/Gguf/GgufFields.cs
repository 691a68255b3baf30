using System.Globalization;
using OrtPeft.Tensors;

namespace OrtPeft.Models.Checkpoints.Gguf;

/// <summary>Typed look-ups in a file's metadata; keys without a dot at their head are the architecture's.</summary>
internal sealed class GgufFields
{
    private const string ArchitectureKey = "general.architecture";

    private readonly GgufFile _file;

    public GgufFields(GgufFile file)
    {
        _file = file;
        Architecture = Text(ArchitectureKey) ?? throw Broken($"lacks {ArchitectureKey}");
    }

    /// <summary>The model's architecture, as <c>general.architecture</c> names it.</summary>
    public string Architecture { get; }

    /// <summary>The key of a field of the architecture.</summary>
    public string Own(string name) => $"{Architecture}.{name}";

    /// <summary>The architecture's keys, without it.</summary>
    public IEnumerable<string> OwnNames => _file.Metadata.Keys
        .Where(key => key.StartsWith(Own(""), StringComparison.Ordinal)).Select(key => key[Own("").Length..]);

    public string? Text(string key) => Of<string>(key, "a text");

    public bool? Flag(string key) => _file.Metadata.ContainsKey(key) ? Of<object>(key, "") is bool flag ? flag : throw Wrong(key, "a flag") : null;

    public double? Number(string key) => Find(key) switch
    {
        null => null,
        double number when double.IsFinite(number) => number,
        long whole => whole,
        _ => throw Wrong(key, "a number"),
    };

    /// <summary>A number, or 1 and 0 for true and false; null for others.</summary>
    public double? NumberOrFlag(string key) => Find(key) switch
    {
        double number => number,
        long whole => whole,
        bool flag => flag ? 1 : 0,
        _ => null,
    };

    /// <summary>Whether a key is there with another value than 0, false or nothing.</summary>
    public bool IsOn(string key) => Find(key) switch
    {
        null or "" or false or 0L or 0.0 => false,
        List<object> list => list.Exists(static v => v is not (0L or 0.0 or false)),
        _ => true,
    };

    /// <summary>A value for messages.</summary>
    public string Shown(string key) =>
        Find(key) is List<object> list ? $"a list of {list.Count}" : Convert.ToString(Find(key), CultureInfo.InvariantCulture) ?? "";

    /// <summary>A count from 1, where 0 is none; of a list with one for each layer, the one that all have.</summary>
    public int? Count(string key)
    {
        var value = Find(key);
        if (value is List<object> { Count: > 0 } list)
            value = list.TrueForAll(v => v.Equals(list[0])) ? list[0] : throw Wrong(key, "the same in every layer");
        return value switch
        {
            null or 0L => null,
            long count and > 0 and <= int.MaxValue => (int)count,
            _ => throw Wrong(key, "a whole number from 1"),
        };
    }

    /// <summary>A count that must be there.</summary>
    public int Needed(string key) => Count(key) ?? throw Broken($"lacks {key}");

    /// <summary>A token's id.</summary>
    public int? Id(string key) => Find(key) switch
    {
        null => null,
        long id and >= 0 and <= int.MaxValue => (int)id,
        _ => throw Wrong(key, "a token's id"),
    };

    public IReadOnlyList<T>? List<T>(string key)
    {
        if (Of<List<object>>(key, "a list") is not { } list)
            return null;
        return list.TrueForAll(static v => v is T) ? list.ConvertAll(static v => (T)v) : throw Wrong(key, "a list of one kind");
    }

    /// <summary>Whether a key is there.</summary>
    public bool Has(string key) => _file.Metadata.ContainsKey(key);

    public OnnxFormatException Broken(string what) => new($"{_file.Path}: {what}; fetch the file again.");

    public OnnxFormatException Refused(string what) => new($"{_file.Path}: {what}.");

    private object? Find(string key) => _file.Metadata.GetValueOrDefault(key);

    private T? Of<T>(string key, string wanted)
        where T : class => Find(key) switch
        {
            null => null,
            T value => value,
            _ => throw Wrong(key, wanted),
        };

    private OnnxFormatException Wrong(string key, string wanted) =>
        Refused($"{key} is {Shown(key)}; it must be {wanted}");
}
