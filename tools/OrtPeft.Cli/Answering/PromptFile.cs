using OrtPeft.Cli.Data;
using OrtPeft.Cli.Errors;
using OrtPeft.Cli.Options;
using OrtPeft.Cli.Reporting;
using OrtPeft.Tensors;
using OrtPeft.Tokenizers.Chat;

namespace OrtPeft.Cli.Answering;

/// <summary>
/// Answers a file's prompts in their order, a line of JSON for each answer. A prompt that cannot be answered has a line
/// with its error, and the others are answered all the same.
/// </summary>
internal sealed class PromptFile(Invocation run, Answerer answerer, string path)
{
    /// <summary>Answers all prompts.</summary>
    /// <param name="count">How many answers each is given.</param>
    /// <exception cref="UsageException">A prompt could not be answered, or there is none.</exception>
    public void Answer(int count)
    {
        var name = path == DataFile.StandardInput ? DataFile.StandardInputName : path;
        var (prompts, faults) = (0, new List<string>());
        foreach (var (index, text) in Lines().Index().Where(static line => !string.IsNullOrWhiteSpace(line.Item)))
        {
            prompts++;
            try
            {
                Answer(index + 1, PromptRow.Parse(text), count);
            }
            catch (Exception e) when (e is UsageException or ChatTemplateException or SettingException)
            {
                run.AnswerLine(new() { ["line"] = index + 1, ["error"] = e.Message });
                faults.Add($"{name}: line {index + 1}: {e.Message}");
            }
        }

        if (prompts == 0)
            throw new UsageException($"{name} holds no prompts; expected one in each line.");
        if (faults.Count > 0)
        {
            var prompt = Human.Count(faults.Count, "prompt");
            throw new UsageException($"{prompt} cannot be answered; the first: {faults[0]}");
        }
    }

    private void Answer(int line, PromptRow prompt, int count)
    {
        for (var n = 0; n < count; n++)
        {
            var answer = answerer.Answer(prompt, n, static _ => { });
            var json = answer.ToJson();
            json.Insert(0, "line", line);
            json.Insert(1, "prompt", answer.Prompt);
            json["sampling"] = SamplingOptions.ToJson(answerer.Options);
            run.AnswerLine(json);
        }
    }

    private IEnumerable<string> Lines()
    {
        if (path != DataFile.StandardInput)
            return File.ReadLines(path);
        return Piped(run.Host.Input);
    }

    private static IEnumerable<string> Piped(TextReader reader)
    {
        while (reader.ReadLine() is { } line)
            yield return line;
    }
}
