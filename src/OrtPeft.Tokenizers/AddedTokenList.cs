using System.Collections.Immutable;
using OrtPeft.Tokenizers.Models;
using static OrtPeft.Tokenizers.TokenizerFormatException;

namespace OrtPeft.Tokenizers;

/// <summary>Collects added tokens and refuses those that contradict each other or the vocabulary.</summary>
internal sealed class AddedTokenList
{
    private readonly Dictionary<string, AddedToken> _byContent = new(StringComparer.Ordinal);
    private readonly Dictionary<int, AddedToken> _byId = [];

    public bool IsEmpty => _byId.Count == 0;

    public int? Find(string content) => _byContent.TryGetValue(content, out var token) ? token.Id : null;

    public void Add(AddedToken token, ITokenModel model, SourcePlace place)
    {
        var shown = Quote(token.Content);
        if (token.Content.Length == 0)
            throw place.Error("an added token is empty; give it a text or remove it");
        if (token.Id is < 0 or >= BpeModelBuilder.IdLimit)
            throw place.Error($"{shown} has id {token.Id}; ids are 0..{BpeModelBuilder.IdLimit - 1}");
        if (model.Find(token.Content) is { } id && id != token.Id)
            throw place.Error($"{shown} has id {token.Id} here, {id} in the vocabulary; keep one");
        var other = model.Spelling(token.Id);
        if (other is not null && other != token.Content)
            throw place.Error($"{shown} and {Quote(other)} share id {token.Id}; give each token its own");
        if (!_byContent.TryAdd(token.Content, token))
            throw place.Error($"{shown} is listed twice; keep one of the entries");
        if (!_byId.TryAdd(token.Id, token))
            throw place.Error($"{shown} and {Quote(_byId[token.Id].Content)} share id {token.Id}; give each its own");
    }

    public ImmutableArray<AddedToken> InIdOrder() => [.. _byId.Values.OrderBy(static token => token.Id)];
}
