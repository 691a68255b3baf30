using System.Numerics;
using System.Runtime.CompilerServices;
using OrtPeft.Tokenizers.Chat.Jinja.Runtime;

namespace OrtPeft.Tokenizers.Chat.Jinja.Values;

/// <summary>Values as text: Python's <c>str()</c> and <c>repr()</c>.</summary>
internal static class Display
{
    private const int LongestText = 1 << 24; // characters

    public static string Text(object? value) => value switch
    {
        string text => text,
        Markup markup => markup.Text,
        Undefined => "",
        _ => Repr(value),
    };

    public static string Repr(object? value)
    {
        if (!RuntimeHelpers.TryEnsureSufficientExecutionStack())
            throw new JinjaException("a value is nested too deeply", JinjaFailure.Limit);
        return value switch
        {
            null => "None",
            bool truth => truth ? "True" : "False",
            BigInteger whole => Whole.Text(whole),
            double number => FloatText.Repr(number),
            string text => PythonText.Repr(text),
            Markup markup => $"Markup({PythonText.Repr(markup.Text)})",
            PyList list => $"[{Joined(list.Items.Select(Repr))}]",
            PyTuple { Items: [var only] } => $"({Repr(only)},)",
            PyTuple tuple => $"({Joined(tuple.Items.Select(Repr))})",
            PyDict dict => $"{{{Joined(dict.Pairs.Select(static p => $"{Repr(p.Key)}: {Repr(p.Value)}"))}}}",
            PyView view => $"{view.Type}({Repr(view.Items)})",
            PyRange range => range.Display,
            Undefined => "Undefined",
            Namespace space => $"<Namespace {Repr(space.Values)}>",
            LoopContext loop => loop.Display,
            Macro macro => macro.Display,
            _ => throw new JinjaException(
                $"printing a '{TypeNames.Of(value)}' would show its address in memory; call it, or make it a list"),
        };
    }

    /// <summary>For messages: whatever it is, in a few characters.</summary>
    public static string ShortRepr(object? value) =>
        value is null or bool or BigInteger or double or string ? Repr(value) : $"of type '{TypeNames.Of(value)}'";

    private static string Joined(IEnumerable<string> parts)
    {
        var text = string.Join(", ", parts);
        return text.Length <= LongestText
            ? text
            : throw new JinjaException("a text that is too long", JinjaFailure.Limit);
    }
}
