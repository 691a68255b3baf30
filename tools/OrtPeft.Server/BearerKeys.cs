using System.Security.Cryptography;
using System.Text;

namespace OrtPeft.Server;

/// <summary>The keys that let requests in, compared in a time that tells nothing of them.</summary>
/// <param name="keys">The keys; none lets everyone in.</param>
internal sealed class BearerKeys(IReadOnlyList<string> keys)
{
    private const string Scheme = "Bearer ";

    private readonly byte[][] _hashes = [.. keys.Select(Hash)];

    /// <summary>Whether a request's <c>Authorization</c> lets it in.</summary>
    public bool Allow(string? authorization)
    {
        if (_hashes.Length == 0)
            return true;
        if (authorization?.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) != true)
            return false;
        var given = Hash(authorization[Scheme.Length..].Trim());
        var isKnown = false;
        foreach (var hash in _hashes)
            isKnown |= CryptographicOperations.FixedTimeEquals(hash, given);
        return isKnown;
    }

    private static byte[] Hash(string key) => SHA256.HashData(Encoding.UTF8.GetBytes(key));
}
