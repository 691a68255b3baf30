using System.Collections.Immutable;
using OrtPeft.Onnx.Decoders;
using OrtPeft.Tokenizers;
using OrtPeft.Tokenizers.Chat;

namespace OrtPeft.Training.Data.Chat;

/// <summary>Makes tokens of a conversation by the model's own template.</summary>
internal sealed class ChatEncoder(ChatTemplates templates, ChatFormat format)
{
    /// <summary>The conversation as text.</summary>
    public (string Text, ChatTemplate Template, RenderedChat Chat) Render(ChatRow row)
    {
        try
        {
            var template = templates.Select(row.Tools is not null);
            var chat = template.Render(row.First(row.Messages.Count), format.Ending, format.Time);
            return (chat.Text, template, chat);
        }
        catch (ChatTemplateException error)
        {
            throw row.Place.Error(row.Field, $"{error.Message}", error);
        }
    }

    /// <summary>The conversation as tokens, rendered whole and tokenised whole, without a token added.</summary>
    public Example Encode(ChatRow row, ITokenizer tokenizer)
    {
        (var text, var template, var chat) = Render(row);
        var tokens = TokenPlaces.Of(tokenizer, text);
        if (tokens.Ids.Count == 0)
            throw row.Place.Error(row.Field, $"the chat template makes no text of it; leave the row out");
        ImmutableArray<int> ids = [.. tokens.Ids];
        if (format.Ending != ChatEnding.Closed)
            return Row(row, ids, ids, lastOnly: false);
        var mask = new ChatMask(row, template, tokenizer, format, chat, tokens);
        var learned = mask.Learned();
        var labels = Array.TrueForAll(learned, static bit => bit)
            ? ids
            : [.. ids.Select((id, i) => learned[i] ? id : DecoderLabels.Ignored)];
        return Row(row, ids, labels, mask.LearnsLastOnly);
    }

    private static Example Row(ChatRow row, ImmutableArray<int> ids, ImmutableArray<int> labels, bool lastOnly) =>
        new(ids, labels)
        {
            File = row.Place.File,
            Line = row.Place.Line,
            Form = RowForm.Template,
            LearnsLastTurnOnly = lastOnly,
        };
}
