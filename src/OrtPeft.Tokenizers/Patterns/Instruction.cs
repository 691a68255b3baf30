namespace OrtPeft.Tokenizers.Patterns;

/// <summary>One step of a compiled expression; what the fields mean depends on <c>Code</c>.</summary>
internal readonly record struct Instruction(OpCode Code)
{
    public CodePointClass? Class { get; init; }

    /// <summary>Where to go, or which anchor, register or least count is meant.</summary>
    public int First { get; init; }

    /// <summary>Where to go on failure, or the greatest count.</summary>
    public int Second { get; init; }

    public RepeatKind Kind { get; init; }
}
