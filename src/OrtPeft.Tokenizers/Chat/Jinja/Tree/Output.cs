using OrtPeft.Tokenizers.Chat.Jinja.Runtime;
using OrtPeft.Tokenizers.Chat.Jinja.Values;

namespace OrtPeft.Tokenizers.Chat.Jinja.Tree;

/// <summary>Text of the template as it stands.</summary>
internal sealed class TextOutput(string text, int line) : Statement(line)
{
    protected override Flow Run(Scope scope)
    {
        scope.Run.Write(text);
        return Flow.Next;
    }
}

/// <summary><c>{{ value }}</c>.</summary>
internal sealed class Print(Expression value, int line) : Statement(line)
{
    protected override Flow Run(Scope scope)
    {
        var shown = value.Evaluate(scope);
        scope.Run.Line = Line;
        scope.Run.Write(Display.Text(shown));
        return Flow.Next;
    }
}

/// <summary><c>{% print a, b %}</c>.</summary>
internal sealed class PrintAll(IReadOnlyList<Print> prints, int line) : Statement(line)
{
    protected override Flow Run(Scope scope)
    {
        foreach (var print in prints)
            print.Execute(scope);
        return Flow.Next;
    }
}
