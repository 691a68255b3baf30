using System.Collections.Frozen;
using System.Globalization;
using System.Text;

namespace OrtPeft.Training.Reports;

/// <summary>The card of an adapter, a <c>README.md</c> in the form that the Hugging Face Hub reads.</summary>
/// <seealso href="https://huggingface.co/docs/hub/model-cards#model-card-metadata"/>
public sealed record ModelCard
{
    /// <summary>The card's name in an adapter's folder.</summary>
    public const string FileName = "README.md";

    /// <summary>Stands in every such card, and so tells them from those that people wrote.</summary>
    public const string Mark = "<!-- Written by ortpeft train, which replaces it. Remove this line to keep your changes. -->";

    private static readonly FrozenSet<string> OfPeft = new[]
    {
        "LORA", "LOHA", "LOKR", "VERA", "IA3", "LN_TUNING", "PROMPT_TUNING", "P_TUNING", "PREFIX_TUNING", "TRAINABLE_TOKENS",
    }.ToFrozenSet(StringComparer.Ordinal);

    /// <summary>The adapter's name.</summary>
    public required string Name { get; init; }

    /// <summary>The name by which HF's libraries load the base, or a path; null if unknown.</summary>
    public string? BaseModel { get; init; }

    /// <summary>Whether <see cref="BaseModel"/> is a name of the hub rather than a path.</summary>
    public bool IsBaseOnHub { get; init; }

    /// <summary>The method, as <c>peft_type</c> names it.</summary>
    public required string PeftType { get; init; }

    /// <summary>Names of data sets on the hub; none where rows came from other files.</summary>
    public IReadOnlyList<string> Datasets { get; init; } = [];

    /// <summary>The name of the held-out rows.</summary>
    public string HeldOut { get; init; } = "held-out rows";

    /// <summary>The metrics on held-out rows: of the adapter that is written, and of the base alone (NaN where it
    /// was not measured).</summary>
    public IReadOnlyList<(string Type, string Name, double Value, double Base)> Metrics { get; init; } = [];

    /// <summary>How it was made.</summary>
    public IReadOnlyList<FactGroup> Facts { get; init; } = [];

    /// <summary>The card.</summary>
    /// <returns>Markdown with metadata in YAML before it.</returns>
    public string ToMarkdown()
    {
        var card = new StringBuilder("---\n");
        Metadata(card);
        card.Append("---\n\n").Append(Mark).Append("\n\n");
        card.Append(Text($"# {Plain(Name)}\n\n"));
        card.Append(Text($"An adapter ({Code(PeftType)}) for {(BaseModel is null ? "a language model" : Link())}"))
            .Append(", trained with OrtPeft.\n\n");
        Results(card);
        Usage(card);
        foreach (var group in Facts)
        {
            card.Append(Text($"## {Plain(group.Title)}\n\n| | |\n|---|---|\n"));
            foreach (var (name, value) in group.Facts)
                card.Append(Text($"| {Plain(name)} | {Code(value)} |\n"));
            card.Append('\n');
        }

        return card.ToString().TrimEnd('\n') + "\n";
    }

    private void Metadata(StringBuilder card)
    {
        if (IsBaseOnHub)
            card.Append(Text($"base_model: {Yaml(BaseModel!)}\n"));
        if (OfPeft.Contains(PeftType))
            card.Append("library_name: peft\n");
        card.Append("pipeline_tag: text-generation\ntags:\n");
        if (IsBaseOnHub)
            card.Append(Text($"- {Yaml($"base_model:adapter:{BaseModel}")}\n"));
        card.Append(Text($"- {PeftType.ToLowerInvariant().Replace('_', '-')}\n- ortpeft\n"));
        if (Datasets.Count > 0)
            card.Append("datasets:\n").AppendJoin("", Datasets.Select(static name => $"- {Yaml(name)}\n"));
        var measured = Metrics.Where(static m => double.IsFinite(m.Value)).ToArray();
        if (measured.Length == 0)
            return;
        card.Append(Text($"model-index:\n- name: {Yaml(Name)}\n  results:\n  - task:\n      type: text-generation\n"))
            .Append(Text($"    dataset:\n      name: {Yaml(HeldOut)}\n      type: {Yaml(Datasets is [var only] ? only : "local")}\n"))
            .Append("    metrics:\n");
        foreach (var (type, name, value, _) in measured)
            card.Append(Text($"    - type: {type}\n      value: {value:0.######}\n      name: {Yaml(name)}\n"));
    }

    private void Results(StringBuilder card)
    {
        if (Metrics.Count == 0)
            return;
        card.Append(Text($"## Results\n\nOn {Plain(HeldOut)}:\n\n| | this adapter | base alone |\n|---|---|---|\n"));
        foreach (var (_, name, value, before) in Metrics)
            card.Append(Text($"| {Plain(name)} | {RunPage.Loss(value)} | {(double.IsNaN(before) ? "–" : RunPage.Loss(before))} |\n"));
        card.Append('\n');
    }

    private void Usage(StringBuilder card)
    {
        card.Append("## Usage\n\n");
        if (OfPeft.Contains(PeftType))
        {
            card.Append("With [PEFT](https://huggingface.co/docs/peft):\n\n```python\nfrom peft import PeftModel\n")
                .Append("from transformers import AutoModelForCausalLM, AutoTokenizer\n\n")
                .Append(Text($"base = {Yaml(BaseModel ?? "BASE_MODEL")}\n"))
                .Append("tokenizer = AutoTokenizer.from_pretrained(base)\n")
                .Append("model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base), \"ADAPTER\")\n```\n\n");
        }

        card.Append("With OrtPeft, on an ONNX model or a Hugging Face folder of the base:\n\n```sh\n")
            .Append("ortpeft generate MODEL --adapter ADAPTER --prompt 'TEXT'\n```\n\n")
            .Append("`ADAPTER` is this folder.");
        if (!IsBaseOnHub && BaseModel is not null)
            card.Append(" The base is named by a path; put its name on the hub in its place to share the adapter.");
        card.Append("\n\n");
    }

    private string Link() => IsBaseOnHub
        ? $"[{Plain(BaseModel!)}](https://huggingface.co/{string.Join('/', BaseModel!.Split('/').Select(Uri.EscapeDataString))})"
        : Code(BaseModel!);

    /// <summary>A text between double quotes. Surrogates stay: YAML has no escape for one of a
    /// pair.</summary>
    private static string Yaml(string text) => $"\"{string.Concat(text.Select(static c => c is '"' or '\\' ? $"\\{c}"
        : char.IsControl(c) || c is '\u2028' or '\u2029' or '\uFEFF' ? $"\\u{(int)c:x4}"
        : $"{c}"))}\"";

    /// <summary>Text in which Markdown and HTML see nothing but text, on one line.</summary>
    private static string Plain(string text) => string.Concat(OneLine(text).Select(static c => c switch
    {
        '<' => "&lt;",
        '>' => "&gt;",
        '&' => "&amp;",
        '\\' or '`' or '*' or '_' or '[' or ']' or '|' or '#' or '~' => $"\\{c}",
        _ => $"{c}",
    }));

    /// <summary>Text as code, in a cell of a table too.</summary>
    private static string Code(string text)
    {
        var line = OneLine(text).Replace("|", "\\|", StringComparison.Ordinal);
        return line.Contains('`', StringComparison.Ordinal) ? $"<code>{Plain(text)}</code>" : $"`{line}`";
    }

    private static string OneLine(string text) =>
        string.Concat(text.Select(static c => char.IsControl(c) ? ' ' : c)).Trim() is { Length: > 0 } line ? line : "–";

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
