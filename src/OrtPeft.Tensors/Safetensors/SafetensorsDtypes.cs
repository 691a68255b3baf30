namespace OrtPeft.Tensors.Safetensors;

/// <summary>The format's element types, in the order in which the reference implementation ranks them.</summary>
internal static class SafetensorsDtypes
{
    private static readonly (string Name, ElementType Type)[] Ranked =
    [
        ("BOOL", ElementType.Bool),
        ("F4", ElementType.Float4E2M1),
        ("U8", ElementType.UInt8),
        ("I8", ElementType.Int8),
        ("F8_E5M2", ElementType.Float8E5M2),
        ("F8_E4M3", ElementType.Float8E4M3FN),
        ("I16", ElementType.Int16),
        ("U16", ElementType.UInt16),
        ("F16", ElementType.Float16),
        ("BF16", ElementType.BFloat16),
        ("I32", ElementType.Int32),
        ("U32", ElementType.UInt32),
        ("F32", ElementType.Float),
        ("C64", ElementType.Complex64),
        ("F64", ElementType.Double),
        ("I64", ElementType.Int64),
        ("U64", ElementType.UInt64),
    ];

    public static string Names => string.Join(" ", Ranked.Select(static row => row.Name));

    public static ElementType? Find(string name) =>
        Rank(row => row.Name == name) is var rank and >= 0 ? Ranked[rank].Type : null;

    /// <summary>A type's place in the order, or −1 when the format lacks it; wider types come later.</summary>
    public static int RankOf(ElementType type) => Rank(row => row.Type == type);

    public static string NameOf(ElementType type) => Ranked[RankOf(type)].Name;

    private static int Rank(Predicate<(string Name, ElementType Type)> matches) => Array.FindIndex(Ranked, matches);
}
