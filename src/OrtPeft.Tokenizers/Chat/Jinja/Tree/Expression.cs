using OrtPeft.Tokenizers.Chat.Jinja.Runtime;

namespace OrtPeft.Tokenizers.Chat.Jinja.Tree;

/// <summary>A part of a template that has a value.</summary>
internal abstract class Expression(int line)
{
    /// <summary>Where it stands, from 1.</summary>
    public int Line { get; } = line;

    public object? Evaluate(Scope scope)
    {
        scope.Run.Step(Line);
        return Compute(scope);
    }

    protected abstract object? Compute(Scope scope);
}
