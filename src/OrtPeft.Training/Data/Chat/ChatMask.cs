using OrtPeft.Tokenizers;
using OrtPeft.Tokenizers.Chat;

namespace OrtPeft.Training.Data.Chat;

/// <summary>Decides which tokens of a conversation are learned.</summary>
internal sealed class ChatMask
{
    private readonly ChatRow _row;
    private readonly TokenPlaces _tokens;
    private readonly ChatTurns _turns;
    private readonly RenderedChat _chat;
    private readonly TrainOn? _trainOn;

    public ChatMask(
        ChatRow row,
        ChatTemplate template,
        ITokenizer tokenizer,
        ChatFormat format,
        RenderedChat chat,
        TokenPlaces tokens)
    {
        _row = row;
        _tokens = tokens;
        _chat = chat;
        _trainOn = format.TrainOn;
        _turns = new ChatTurns(row, template, tokenizer, format.Time);
    }

    /// <summary>Whether only the last turn is learned because earlier ones could not be told.</summary>
    public bool LearnsLastOnly { get; private set; }

    /// <summary>For each token whether it is learned.</summary>
    public bool[] Learned()
    {
        var learned = new bool[_tokens.Ids.Count];
        var isCompletion = _row.PromptLength is not null && _trainOn is null;
        int[] unweighted = [.. _row.AssistantTurns.Where(_row.HasWeightZero)];
        if (_trainOn == TrainOn.All || isCompletion)
            Array.Fill(learned, true);
        if (!isCompletion || unweighted.Length > 0)
            Apply(learned, unweighted, isWhole: _trainOn == TrainOn.All || isCompletion);
        if (_row.PromptLength is { } prompt && _trainOn != TrainOn.All)
            Array.Clear(learned, 0, _turns.Shared(prompt, ChatEnding.GenerationPrompt, _tokens));
        return learned;
    }

    private void Apply(bool[] learned, int[] unweighted, bool isWhole)
    {
        if (isWhole && unweighted.Length == 0)
            return;
        var needsMessages = unweighted.Length > 0 || _trainOn == TrainOn.Last;
        var turns = Turns(needsMessages);
        if (unweighted.Length > 0 && LearnsLastOnly && isWhole)
        {
            throw _row.Place.Error(_row.Field,
                $"a turn has the weight 0, but the chat template does not show where turns begin and end");
        }

        foreach (var turn in turns)
        {
            var isLast = turn == turns[^1];
            var counts = _trainOn != TrainOn.Last || isLast;
            var hasWeight = turn.Message is not { } message || !unweighted.Contains(message);
            if (counts || isWhole)
                learned.AsSpan(turn.First, turn.End - turn.First).Fill(hasWeight && (counts || isWhole));
        }
    }

    private List<Turn> Turns(bool needsMessages)
    {
        var marked = _turns.Marked(_chat, _tokens);
        if (marked is not null && (!needsMessages || marked.TrueForAll(static turn => turn.Message is not null)))
            return marked;
        if (_turns.Nested(_chat, _tokens) is { } nested)
            return marked is null ? nested : Combined(marked, nested);
        LearnsLastOnly = _trainOn != TrainOn.Last;
        if (_turns.Last(_tokens) is not { } last)
            return [];
        return marked is null ? [last] : Combined(marked, [last]);
    }

    /// <summary>Marked stretches, each with the message in whose turn it lies.</summary>
    private static List<Turn> Combined(List<Turn> marked, List<Turn> turns) =>
        [.. turns.SelectMany(turn => marked
            .Where(part => part.First >= turn.First && part.First < turn.End)
            .Select(part => part with { Message = turn.Message }))];
}
