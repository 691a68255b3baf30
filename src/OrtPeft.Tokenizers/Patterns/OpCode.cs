namespace OrtPeft.Tokenizers.Patterns;

/// <summary>The operation of an <see cref="Instruction"/>.</summary>
internal enum OpCode
{
    /// <summary>The expression, or the inside of a look, has matched.</summary>
    Done,

    /// <summary>One code point of the class.</summary>
    One,

    /// <summary>From First to Second code points of the class.</summary>
    Run,

    /// <summary>Goes to First, and to Second if that fails.</summary>
    Fork,

    /// <summary>Goes to First.</summary>
    Jump,

    /// <summary>Remembers the position in register First.</summary>
    Mark,

    /// <summary>Goes to Second if the position is still that of register First.</summary>
    ExitIfStill,

    /// <summary>Remembers in register First what may still be tried.</summary>
    AtomicStart,

    /// <summary>Forgets what could be tried since <see cref="AtomicStart"/> of register First.</summary>
    AtomicEnd,

    /// <summary>Asks for the anchor First.</summary>
    Anchor,

    /// <summary>The code that follows matches, or does not, from here; then goes to First. Second is how many code points
    /// before here it begins, −1 for here.</summary>
    Look,

    /// <summary>As <see cref="Look"/>, where that must not match.</summary>
    LookNot,

    /// <summary>Asks whether the position is where the lookbehind began.</summary>
    AtLookStart,
}
