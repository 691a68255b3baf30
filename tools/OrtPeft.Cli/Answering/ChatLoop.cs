using System.Text.Json.Nodes;
using OrtPeft.Cli.Data;
using OrtPeft.Text;

namespace OrtPeft.Cli.Answering;

/// <summary>
/// A conversation in the terminal, or over pipes: a line is the user's turn. Ctrl-C ends an answer, which stays as far
/// as it came; between answers it ends the process. An empty line, /exit or the end of the input ends the conversation.
/// </summary>
internal sealed class ChatLoop(Invocation run, Answerer answerer, ChatSession chat)
{
    private const string Exit = "/exit";
    private const string Sign = "> ";

    /// <summary>Talks until the user ends it.</summary>
    /// <returns>The answers, those that were broken off left out.</returns>
    public JsonArray Run()
    {
        var answers = new JsonArray();
        if (ChatInput.LastRole(chat.Conversation) is "user" or "tool")
            Add(answers, static (chat, stop) => chat.StreamAnswer(stop));
        while (Read() is { } question)
            Add(answers, (chat, stop) => chat.Stream(question, stop));
        return answers;
    }

    private string? Read()
    {
        if (run.Host.Terminal is not null)
            run.Write(Sign);
        var line = run.Host.Input.ReadLine()?.Trim();
        if (line is null && run.Host.Terminal is not null)
            run.Say(""); // the end of the input leaves the cursor after the sign
        return line is null or "" or Exit ? null : line;
    }

    private void Add(JsonArray answers, Func<ChatSession, CancellationToken, IEnumerable<string>> ask)
    {
        var interruption = run.Host.Interruption;
        interruption.ListenToCtrlC();
        try
        {
            var stop = interruption.Token;
            answers.Add(answerer.Answer(chat, session => ask(session, stop), run.Write).ToJson());
        }
        catch (OperationCanceledException) when (interruption.Token.IsCancellationRequested)
        {
            run.Write(" …");
        }
        finally
        {
            interruption.Rest();
        }

        run.Say("");
    }
}
