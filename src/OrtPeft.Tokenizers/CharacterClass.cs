namespace OrtPeft.Tokenizers;

/// <summary>The four classes GPT-2's pattern tells apart: <c>\s</c>, <c>\p{L}</c>, <c>\p{N}</c> and the rest.</summary>
internal enum CharacterClass : byte
{
    Other,
    Letter,
    Number,
    Space,
}
