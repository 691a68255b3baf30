using System.Text.Json;
using OrtPeft.Tokenizers.Json;
using OrtPeft.Tokenizers.Serialization;

namespace OrtPeft.Tokenizers.Chat;

/// <summary>
/// The chat templates of a tokenizer's folder, found as transformers 5 finds them: <c>chat_template.jinja</c> before
/// <c>chat_template</c> of <c>tokenizer_config.json</c>, which is a text or a list of named ones, and
/// <c>additional_chat_templates/NAME.jinja</c> beside either.
/// </summary>
public sealed class ChatTemplates
{
    private const string Default = "default";
    private const string ForTools = "tool_use";
    private const string TemplateFile = "chat_template.jinja";
    private const string ProcessorFile = "chat_template.json";
    private const string AdditionalFolder = "additional_chat_templates";

    private readonly Dictionary<string, Lazy<ChatTemplate>> _templates;
    private readonly string _folder;

    private ChatTemplates(string folder, IEnumerable<(string Name, string Origin, string Source)> found)
    {
        var tokens = TemplateTokens.Read(folder);
        _folder = folder;
        _templates = found.ToDictionary(
            static t => t.Name,
            t => new Lazy<ChatTemplate>(() => ChatTemplate.Parse(t.Source, t.Origin, tokens)),
            StringComparer.Ordinal);
    }

    /// <summary>The templates' names in order; one without a name is <c>default</c>.</summary>
    public IEnumerable<string> Names => _templates.Keys.Order(StringComparer.Ordinal);

    /// <summary>Finds the templates of a folder; each is parsed when it is first chosen.</summary>
    /// <param name="path">The tokenizer's folder, or its <c>tokenizer.json</c>.</param>
    /// <returns>
    /// The templates, or null where there is none. Where there is only a processor's <c>chat_template.json</c>, which
    /// transformers does not take for text either, there are none to select.
    /// </returns>
    /// <exception cref="TokenizerFormatException">A file is not readable as what it is.</exception>
    public static ChatTemplates? Load(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var folder = File.Exists(path) ? Path.GetDirectoryName(path) ?? "" : path;
        var found = new Dictionary<string, (string Name, string Origin, string Source)>(StringComparer.Ordinal);
        var file = Path.Combine(folder, TemplateFile);
        IEnumerable<(string Name, string, string)> main = File.Exists(file)
            ? [(Default, file, TextFile.ReadText(file))]
            : OfConfig(Path.Combine(folder, FileNames.Config));
        foreach (var template in main.Concat(Additional(folder)))
            found[template.Name] = template;
        var isProcessors = found.Count == 0 && File.Exists(Path.Combine(folder, ProcessorFile));
        return found.Count == 0 && !isProcessors ? null : new ChatTemplates(folder, found.Values);
    }

    /// <summary>The template for a conversation.</summary>
    /// <param name="hasTools">Whether tools are given, be they none: <c>tool_use</c> is then taken where it is.</param>
    /// <param name="name">A name of <see cref="Names"/>; null chooses as described.</param>
    /// <returns>The template.</returns>
    /// <exception cref="ChatTemplateException">There is no such template, or it cannot be read.</exception>
    public ChatTemplate Select(bool hasTools, string? name = null)
    {
        var wanted = name ?? (hasTools && _templates.ContainsKey(ForTools) ? ForTools : Default);
        if (_templates.TryGetValue(wanted, out var template))
            return template.Value;
        throw new ChatTemplateException(_templates.Count == 0
            ? $"{Path.Combine(_folder, ProcessorFile)} is a processor's chat template, which tokenizers do not have; "
                + $"write it to {TemplateFile} to use it"
            : $"{_folder}: there is no chat template '{wanted}'; there are {string.Join(", ", Names)}");
    }

    private static List<(string Name, string Origin, string Source)> OfConfig(string file)
    {
        if (!File.Exists(file))
            return [];
        return TextFile.ReadJson<List<(string, string, string)>>(file, root => root.Find("chat_template") switch
        {
            null => [],
            { IsString: true } text => [(Default, file, text.AsString())],
            { Value.ValueKind: JsonValueKind.Object } named =>
                [.. named.Members().Select(m => (m.Name, $"{file} ({m.Name})", m.Field.AsString()))],
            { } list => [.. list.Items().Select(item => Named(item, file))],
        });
    }

    private static (string Name, string Origin, string Source) Named(JsonField item, string file)
    {
        var name = item.Get("name").AsString();
        return (name, $"{file} ({name})", item.Get("template").AsString());
    }

    private static IEnumerable<(string Name, string Origin, string Source)> Additional(string folder)
    {
        var more = Path.Combine(folder, AdditionalFolder);
        if (!Directory.Exists(more))
            return [];
        return Directory.EnumerateFiles(more, "*.jinja").Order(StringComparer.Ordinal)
            .Select(static file => (Path.GetFileNameWithoutExtension(file), file, TextFile.ReadText(file)));
    }
}
