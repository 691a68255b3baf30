using OrtPeft.Tokenizers.Chat.Jinja.Runtime;
using OrtPeft.Tokenizers.Chat.Jinja.Values;

namespace OrtPeft.Tokenizers.Chat.Jinja.Tree;

/// <summary>
/// <c>{% for target in items if test recursive %}</c>. Every round has its own variables, and so has the
/// <c>else</c> that runs when no round came to its end: as in Jinja, one left by <c>continue</c> does not count.
/// </summary>
internal sealed class For(
    Expression target, Expression items, Expression? test, bool isRecursive, Body body, Body? otherwise, int line)
    : Statement(line)
{
    protected override Flow Run(Scope scope)
    {
        var iterated = items.Evaluate(scope);
        scope.Run.Line = Line;
        if (!isRecursive)
            return Loop(scope, iterated, depth: 0);
        scope.Run.Output.Push();
        var flow = Loop(scope, iterated, depth: 0);
        scope.Run.Write(scope.Run.Output.Pop());
        return flow;
    }

    private Flow Loop(Scope scope, object? iterated, int depth)
    {
        var source = test is null ? iterated : new PyIterator("generator", Filtered(scope, iterated));
        var loop = new LoopContext(source, depth, isRecursive ? Recurse : null);
        var any = false;
        while (loop.MoveNext())
        {
            scope.Run.Step(Line);
            var round = new Scope(scope);
            round.Set("loop", loop);
            Assignment.Assign(target, loop.Current, round);
            var flow = body.Execute(round);
            if (flow == Flow.Break)
                break;
            any |= flow == Flow.Next;
        }

        return any || otherwise is null ? Flow.Next : otherwise.Execute(new Scope(scope));

        string Recurse(object? inner, int innerDepth)
        {
            using var call = scope.Run.Nested();
            scope.Run.Output.Push();
            Loop(scope, inner, innerDepth);
            return scope.Run.Output.Pop();
        }
    }

    private IEnumerable<object?> Filtered(Scope scope, object? iterated)
    {
        foreach (var item in Iteration.Of(iterated))
        {
            var inner = new Scope(scope);
            Assignment.Assign(target, item, inner);
            if (Truth.Of(test!.Evaluate(inner)))
                yield return item;
        }
    }
}
