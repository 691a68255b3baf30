using OrtPeft.Models.Configuration;

namespace OrtPeft.Models;

/// <summary>The tokens that end a text by the files beside a model.</summary>
internal static class StopTokens
{
    private static readonly string[] Files = [ModelFamilies.ConfigFileName, ModelFamilies.GenerationConfigFileName];

    /// <summary>
    /// The union of <c>eos_token_id</c> in <c>config.json</c>, <c>generation_config.json</c> and the <c>model</c> of
    /// <c>genai_config.json</c>.
    /// </summary>
    /// <exception cref="ModelConfigException">A file is damaged.</exception>
    public static IReadOnlyList<int> In(string folder) =>
    [
        .. Files.Select(name => Path.Combine(folder, name)).Where(File.Exists)
            .SelectMany(static file => ModelFields.Open(file, isToBuild: false).TokenIds("eos_token_id"))
            .Concat(GenAiConfig.TryRead(folder)?.EosTokenIds ?? [])
            .Distinct(),
    ];
}
