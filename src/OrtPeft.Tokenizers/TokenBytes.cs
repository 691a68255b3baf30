using System.Text;

namespace OrtPeft.Tokenizers;

/// <summary>The bytes of every token, in one block.</summary>
internal sealed class TokenBytes
{
    private readonly byte[] _block;
    private readonly int[] _starts;

    public TokenBytes(BpeModel model)
    {
        var added = model.AddedTokens.ToDictionary(static t => t.Id, static t => t.Content);
        using var block = new MemoryStream();
        _starts = new int[model.Tokens.Length + 1];
        for (var id = 0; id < model.Tokens.Length; id++)
        {
            // An added token is searched for as it is spelled, so this is also what it decodes to.
            var spelling = added.GetValueOrDefault(id);
            block.Write(spelling is null ? Read(model.Tokens[id]) : Encoding.UTF8.GetBytes(spelling));
            _starts[id + 1] = (int)block.Length;
        }

        _block = block.ToArray();
    }

    public int Count => _starts.Length - 1;

    public ReadOnlySpan<byte> this[int id] => _block.AsSpan(_starts[id], _starts[id + 1] - _starts[id]);

    /// <summary>Like HF's decoder, takes a token outside the byte alphabet as it is spelled.</summary>
    private static byte[] Read(string? token) =>
        token is null ? [] : ByteAlphabet.Read(token) ?? Encoding.UTF8.GetBytes(token);
}
