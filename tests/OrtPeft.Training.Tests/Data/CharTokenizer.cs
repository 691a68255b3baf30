using System.Text;
using OrtPeft.Tokenizers;

namespace OrtPeft.Training.Tests.Data;

/// <summary>
/// One token a character, its id the character's code; 0 ends a text unless there is no such token, and a text may
/// begin with one.
/// </summary>
internal sealed class CharTokenizer(bool endsTexts = true, char? begin = null) : ITokenizer
{
    public int VocabularySize => 256;

    public int? EndOfTextId => endsTexts ? 0 : null;

    public int? BeginOfTextId => begin;

    public IReadOnlyList<int> Encode(ReadOnlySpan<char> text) => [.. text.ToArray().Select(c => c % 256)];

    public string Decode(IEnumerable<int> ids) => string.Concat(ids.Select(id => (char)id));

    public ReadOnlySpan<byte> GetBytes(int id) => Encoding.UTF8.GetBytes([(char)id]);
}
