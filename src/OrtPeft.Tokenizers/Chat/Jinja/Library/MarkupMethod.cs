using OrtPeft.Tokenizers.Chat.Jinja.Runtime;
using OrtPeft.Tokenizers.Chat.Jinja.Values;

namespace OrtPeft.Tokenizers.Chat.Jinja.Library;

/// <summary>
/// A text's method on text that is marked safe: its result is safe too, and so must its arguments be.
/// </summary>
internal static class MarkupMethod
{
    private const string Special = "&<>'\"";

    public static Function Bind(Markup self, Method<string> method)
    {
        var plain = method.Bind(self.Text);
        return new Function(method.Name, plain.Display, arguments =>
        {
            var isSafe = method.Name is not ("join" or "format") && arguments.Positional.TrueForAll(static value =>
                value is not string text || !text.AsSpan().ContainsAny(Special));
            if (!isSafe)
                throw new JinjaException($"'{method.Name}' of text that is marked safe is not supported here");
            var result = plain.Call(arguments);
            return result is string text ? new Markup(text) : result;
        });
    }
}
