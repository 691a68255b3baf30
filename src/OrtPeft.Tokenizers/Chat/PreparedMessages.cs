using System.Text.Json;
using OrtPeft.Tokenizers.Chat.Jinja;
using OrtPeft.Tokenizers.Chat.Jinja.Values;

namespace OrtPeft.Tokenizers.Chat;

/// <summary>Messages as transformers hands them to a template.</summary>
internal static class PreparedMessages
{
    /// <summary>Names of a turn's thoughts; the first that is given stands for the others too.</summary>
    private static readonly string[] Thoughts = ["reasoning_content", "thinking", "reasoning"];

    public static PyList Of(JsonElement messages)
    {
        if (messages.ValueKind != JsonValueKind.Array)
            throw new JinjaException($"the messages are {messages.ValueKind}; expected an array of objects");
        return new PyList(messages.EnumerateArray().Select(Prepared));
    }

    private static PyDict Prepared(JsonElement element)
    {
        if (JsonValues.Of(element) is not PyDict message)
            throw new JinjaException("a message is not an object; expected one with a role and a content");
        var prepared = new PyDict();
        foreach (var (name, value) in message.Pairs.Where(static pair => pair.Value is not null))
            prepared.Set(name, value);
        var given = Array.Find(Thoughts, name => prepared.TryGet(name, out _));
        foreach (var other in Thoughts.Where(other => given is not null && !prepared.TryGet(other, out _)))
        {
            prepared.TryGet(given, out var thoughts);
            prepared.Set(other, thoughts);
        }

        return prepared;
    }
}
