using OrtPeft.Tokenizers;
using OrtPeft.Tokenizers.Chat;

namespace OrtPeft.Training.Data.Chat;

/// <summary>
/// Finds the assistant's turns among the tokens of a rendered conversation: by the template's generation blocks, else
/// by what it makes of the conversation up to each turn.
/// </summary>
internal sealed class ChatTurns(ChatRow row, ChatTemplate template, ITokenizer tokenizer, TimeProvider? time)
{
    /// <summary>
    /// The turns that generation blocks mark; null where the template has none, or their place is unknown.
    /// </summary>
    public List<Turn>? Marked(RenderedChat chat, TokenPlaces tokens)
    {
        if (!template.MarksGenerations || chat.Generations is not { } spans)
            return null;
        int[] messages = [.. row.AssistantTurns];
        var isOneEach = spans.Count == messages.Length;
        var turns = new List<Turn>();
        for (var i = 0; i < spans.Count; i++)
        {
            (var first, var end) = tokens.Overlapping(spans[i].Start, spans[i].End);
            turns.Add(new Turn(isOneEach ? messages[i] : null, first, end));
        }

        return turns;
    }

    /// <summary>
    /// Every turn from the end of the prompt before it to the end of the conversation with it; one that begins the
    /// conversation has no prompt. Null where what the template makes of the beginning is not a beginning of what it makes
    /// of the whole.
    /// </summary>
    public List<Turn>? Nested(RenderedChat chat, TokenPlaces tokens)
    {
        var turns = new List<Turn>();
        foreach (var message in row.AssistantTurns)
        {
            var prompt = message == 0 ? "" : Rendered(message, ChatEnding.GenerationPrompt);
            var closed = Rendered(message + 1, ChatEnding.Closed);
            var nests = prompt is not null && closed is not null && closed.Length >= prompt.Length
                && chat.Text.StartsWith(prompt, StringComparison.Ordinal)
                && chat.Text.StartsWith(closed, StringComparison.Ordinal);
            if (!nests)
                return null;
            (var first, var end) = tokens.Overlapping(prompt!.Length, closed!.Length);
            turns.Add(new Turn(message, first, end));
        }

        return turns;
    }

    /// <summary>The last turn, from where its ids and those of the prompt before it part.</summary>
    /// <exception cref="TrainingDataException">The template does not render the prompt.</exception>
    public Turn? Last(TokenPlaces tokens)
    {
        var message = row.AssistantTurns.LastOrDefault(-1);
        if (message < 0)
            return null;
        var first = message == 0 ? 0 : Shared(message, ChatEnding.GenerationPrompt, tokens);
        var isEnd = message == row.Messages.Count - 1;
        var end = isEnd ? tokens.Ids.Count : Shared(message + 1, ChatEnding.Closed, tokens);
        return new Turn(message, first, Math.Max(first, end));
    }

    /// <summary>How many ids the first turns by themselves and the whole have in common.</summary>
    public int Shared(int count, ChatEnding ending, TokenPlaces tokens)
    {
        var prompt = Rendered(count, ending) ?? throw row.Place.Error(
            row.Field, $"the chat template does not render the turns before the last answer, so nothing can be learned");
        return tokenizer.Encode(prompt).Zip(tokens.Ids).TakeWhile(static pair => pair.First == pair.Second).Count();
    }

    private string? Rendered(int count, ChatEnding ending)
    {
        try
        {
            return template.Render(row.First(count), ending, time).Text;
        }
        catch (ChatTemplateException)
        {
            return null; // a template may refuse a part of a conversation that it takes as a whole
        }
    }
}
