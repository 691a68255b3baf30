using System.Text.Json;
using System.Text.Json.Nodes;
using OrtPeft.Models;
using OrtPeft.Tensors.Storage;

namespace OrtPeft.Cli.Files;

/// <summary>What ONNX Runtime GenAI reads beside a model, and a merged model of the same graph needs too.</summary>
internal static class GenAiFolder
{
    /// <summary>Its description of the model.</summary>
    public const string Config = "genai_config.json";

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    private static readonly string[] Names = [Config, "processor_config.json", "preprocessor_config.json"];

    /// <summary>The names of those files that a folder has.</summary>
    public static IReadOnlyList<string> FilesIn(string folder) =>
        File.Exists(Path.Combine(folder, Config))
            ? [.. Names.Where(name => File.Exists(Path.Combine(folder, name)))]
            : [];

    /// <summary>Copies them; the copied description names the merged model's file.</summary>
    public static void Copy(ModelSource source, string target)
    {
        foreach (var name in FilesIn(source.Folder))
        {
            var bytes = InputFile.ReadAllBytes(Path.Combine(source.Folder, name));
            AtomicFile.Write(Path.Combine(target, name), name == Config ? Renamed(bytes, source) : bytes);
        }
    }

    private static byte[] Renamed(byte[] config, ModelSource source)
    {
        var own = Path.GetFileName(source.ModelPath);
        if (own == ModelSource.ModelFileName || JsonNode.Parse(config) is not JsonObject json
            || json["model"]?["decoder"] is not JsonObject decoder || (string?)decoder["filename"] != own)
            return config;
        decoder["filename"] = ModelSource.ModelFileName;
        return JsonSerializer.SerializeToUtf8Bytes(json, Indented);
    }
}
