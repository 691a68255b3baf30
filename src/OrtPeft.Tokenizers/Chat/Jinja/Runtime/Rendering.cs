using System.Runtime.CompilerServices;
using OrtPeft.Tokenizers.Chat.Jinja.Library;

namespace OrtPeft.Tokenizers.Chat.Jinja.Runtime;

/// <summary>One run of a template: its output, its clock, and what it may still spend.</summary>
internal sealed class Rendering
{
    private const long StepLimit = 10_000_000;
    private const int DepthLimit = 200; // nested calls of macros and recursive loops; Python stops at about as many
    private const int TextLimit = 1 << 24; // characters in one text
    private const int CharactersPerStep = 16;

    private long _steps;
    private int _depth;

    public Rendering(DateTimeOffset now)
    {
        Now = now;
        Root = new Scope(Globals.For(this));
    }

    public DateTimeOffset Now { get; }

    /// <summary>The template's own scope, above that of the globals.</summary>
    public Scope Root { get; }

    public OutputBuffer Output { get; } = new();

    /// <summary>The line that is being rendered.</summary>
    public int Line { get; set; }

    /// <summary>Counts a node; refuses when there were too many, or when the stack is nearly used up.</summary>
    public void Step(int line)
    {
        Line = line;
        if (++_steps > StepLimit)
            throw Limit($"more than {StepLimit} steps; a chat template should need far fewer");
        if (!RuntimeHelpers.TryEnsureSufficientExecutionStack())
            throw Limit("nested too deeply");
    }

    /// <summary>Counts the making of a value of some characters or items.</summary>
    public void Spend(long size)
    {
        Check(size);
        _steps += size / CharactersPerStep;
    }

    /// <summary>Refuses a value that would be too large.</summary>
    public void Check(long size)
    {
        if (size > TextLimit)
            throw Limit($"a value of {size} characters or items; at most {TextLimit} are allowed");
    }

    public void Write(string text)
    {
        Spend(text.Length);
        Check(Output.Write(text));
    }

    /// <summary>Counts a nested call until disposed.</summary>
    public NestedCall Nested()
    {
        if (_depth >= DepthLimit)
            throw Limit($"more than {DepthLimit} nested calls");
        _depth++;
        return new NestedCall(this);
    }

    private JinjaException Limit(string problem) => new(problem, JinjaFailure.Limit, Line);

    internal readonly struct NestedCall(Rendering run) : IDisposable
    {
        public void Dispose() => run._depth--;
    }
}
