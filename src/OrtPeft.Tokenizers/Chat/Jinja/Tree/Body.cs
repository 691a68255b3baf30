using OrtPeft.Tokenizers.Chat.Jinja.Runtime;

namespace OrtPeft.Tokenizers.Chat.Jinja.Tree;

/// <summary>Statements in order.</summary>
internal sealed class Body(IReadOnlyList<Statement> statements)
{
    public Flow Execute(Scope scope)
    {
        foreach (var statement in statements)
        {
            var flow = statement.Execute(scope);
            if (flow != Flow.Next)
                return flow;
        }

        return Flow.Next;
    }

    /// <summary>Executes and returns what was written instead of writing it.</summary>
    public (string Text, Flow Flow) Capture(Scope scope)
    {
        scope.Run.Output.Push();
        var flow = Execute(scope);
        return (scope.Run.Output.Pop(), flow);
    }
}
