namespace OrtPeft.Tokenizers.Chat.Jinja.Values;

/// <summary>Python's dict: keys in the order in which they came; 1, 1.0 and True are one key.</summary>
internal sealed class PyDict
{
    private static readonly object NoneKey = new();

    private readonly OrderedDictionary<object, object?> _items = new(KeyComparer.Instance);

    public int Count => _items.Count;

    public IEnumerable<(object? Key, object? Value)> Pairs =>
        _items.Select(static pair => (Outside(pair.Key), pair.Value));

    public IEnumerable<object?> Keys => _items.Keys.Select(Outside);

    public IEnumerable<object?> Values => _items.Values;

    public void Set(object? key, object? value)
    {
        if (!IsHashable(key))
            throw new JinjaException($"unhashable type: '{TypeNames.Of(key)}'");
        _items[key ?? NoneKey] = value;
    }

    /// <summary>Looks up a key that can be hashed.</summary>
    public bool TryGet(object? key, out object? value) => _items.TryGetValue(key ?? NoneKey, out value);

    public static bool IsHashable(object? key) => key switch
    {
        PyList or PyDict => false,
        PyTuple tuple => tuple.Items.TrueForAll(IsHashable),
        _ => true,
    };

    private static object? Outside(object key) => ReferenceEquals(key, NoneKey) ? null : key;

    private sealed class KeyComparer : IEqualityComparer<object>
    {
        public static readonly KeyComparer Instance = new();

        public new bool Equals(object? x, object? y) => Equality.AreEqual(x, y);

        public int GetHashCode(object key) => Equality.Hash(key);
    }
}
