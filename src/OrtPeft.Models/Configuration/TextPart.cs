using System.Collections.Frozen;

namespace OrtPeft.Models.Configuration;

/// <summary>
/// The part for texts of models that read pictures too: its description is in <c>text_config</c>, and its weights are
/// called otherwise than those of a model of texts alone.
/// </summary>
internal static class TextPart
{
    /// <summary>The module that holds the part, all but its head.</summary>
    public const string Root = "model.language_model";

    /// <summary>The field of the part's description.</summary>
    public const string Section = "text_config";

    /// <summary>Models whose part for texts computes what a family does, by <c>model_type</c>, and the family where the
    /// section names none.</summary>
    private static readonly FrozenDictionary<string, string> Families = new Dictionary<string, string>
    {
        ["gemma3"] = "gemma3_text",
        ["llava"] = "llama",
        ["llava_next"] = "llama",
        ["mistral3"] = "mistral",
    }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>The beginnings of weights' names, and those that the same may have in files: transformers 4.52 moved the
    /// part, and writes files under the old names still.</summary>
    public static IReadOnlyList<(string Name, string InFiles)> OldNames { get; } =
        [($"{Root}.", "language_model.model."), ("lm_head.", "language_model.lm_head.")];

    /// <summary>The part's fields, or null where the file describes a model of texts alone.</summary>
    public static ModelFields? Of(ModelFields fields) =>
        Families.ContainsKey(TypeOf(fields)) ? fields.Section(Section) : null;

    /// <summary>The part's family.</summary>
    /// <param name="fields">The whole file's fields.</param>
    /// <param name="part">What <see cref="Of"/> gave.</param>
    public static string FamilyOf(ModelFields fields, ModelFields part) =>
        part.Text("model_type", Families[TypeOf(fields)]);

    /// <summary>Whether a model reads more than texts, whatever its family is.</summary>
    public static bool ReadsMore(ModelFields fields) =>
        Families.ContainsKey(TypeOf(fields)) || fields.Has(Section) || fields.Has("vision_config") || fields.Has("audio_config");

    private static string TypeOf(ModelFields fields) => fields.Text("model_type", "");
}
