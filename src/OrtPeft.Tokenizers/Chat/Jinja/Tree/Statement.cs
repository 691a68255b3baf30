using OrtPeft.Tokenizers.Chat.Jinja.Runtime;

namespace OrtPeft.Tokenizers.Chat.Jinja.Tree;

/// <summary>A part of a template that writes text or changes variables.</summary>
internal abstract class Statement(int line)
{
    /// <summary>Where it stands, from 1.</summary>
    public int Line { get; } = line;

    public Flow Execute(Scope scope)
    {
        scope.Run.Step(Line);
        return Run(scope);
    }

    protected abstract Flow Run(Scope scope);
}
