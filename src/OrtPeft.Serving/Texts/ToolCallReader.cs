using OrtPeft.Inference.Generation;

namespace OrtPeft.Serving.Texts;

/// <summary>Takes calls of functions out of an answer while it comes. Not thread-safe.</summary>
/// <param name="form">How they are written; null leaves all as text.</param>
internal sealed class ToolCallReader(ToolCallForm? form)
{
    private readonly StopScanner _scanner = new(form is null ? [] : [form.Mark]);
    private string _beginning = "";
    private bool? _isCall = form?.MayBegin == true ? null : false;

    /// <summary>Takes a piece of the answer.</summary>
    /// <returns>What is text.</returns>
    public string Append(string piece)
    {
        if (_isCall == false)
            return _scanner.Append(piece);
        _beginning += piece;
        var text = _beginning.TrimStart();
        if (text.Length == 0 || _isCall == true)
            return "";
        _isCall = text[0] == '{';
        if (_isCall == true)
            return "";
        (piece, _beginning) = (_beginning, "");
        return _scanner.Append(piece);
    }

    /// <summary>Ends the answer.</summary>
    /// <returns>The calls, or the rest of the text where there are none.</returns>
    public (IReadOnlyList<ToolCall> Calls, string Text) End()
    {
        var held = _beginning + (_scanner.Found is null ? _scanner.Flush() : _scanner.Found + _scanner.After);
        return form is not null && (_isCall == true || _scanner.Found is not null) && form.Read(held) is { } calls
            ? (calls, "")
            : ([], held);
    }
}
