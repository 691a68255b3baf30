using System.Security.Cryptography;
using System.Text;
using OrtPeft.Onnx;
using OrtPeft.Tensors;

namespace OrtPeft.Adapters;

/// <summary>
/// The adapters that a model has merged: the SHA-256 of each one's names and numbers, in the model's metadata. Merging
/// one twice would apply its change twice.
/// </summary>
internal static class MergeRecord
{
    private const string Key = MetadataKeys.MergedAdapters;
    private const int PieceBytes = 1 << 20;

    /// <summary>Notes an adapter.</summary>
    /// <exception cref="ConfigException">It has been merged into this model before.</exception>
    public static void Add(Model model, IReadOnlyDictionary<string, Tensor> weights)
    {
        var fingerprint = Fingerprint(weights);
        var known = model.Metadata.GetValueOrDefault(Key, "");
        if (known.Split(',').Contains(fingerprint))
            throw new ConfigException(
                "The model has this adapter merged already; merge it into the original base, or give another one.");
        model.Metadata[Key] = known.Length == 0 ? fingerprint : $"{known},{fingerprint}";
    }

    private static string Fingerprint(IReadOnlyDictionary<string, Tensor> weights)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var (name, tensor) in weights.OrderBy(static w => w.Key, StringComparer.Ordinal))
        {
            hash.AppendData(Encoding.UTF8.GetBytes($"{name}{tensor.Shape}{tensor.Type}\n"));
            for (long at = 0; at < tensor.Data.Length; at += PieceBytes)
                hash.AppendData(tensor.Data.Slice(at, (int)Math.Min(PieceBytes, tensor.Data.Length - at)));
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
