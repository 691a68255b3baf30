using System.Text.Json;
using System.Text.Json.Nodes;
using OrtPeft.Models;
using OrtPeft.Tensors.Storage;

namespace OrtPeft.Cli.Files;

/// <summary>The files that ONNX Runtime GenAI reads beside a model, and that a merged model of the same graph needs
/// too.</summary>
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

    /// <summary>Lets ONNX Runtime speak of errors alone, where the description does not say: it would warn of each optional
    /// input whenever the model is loaded.</summary>
    public static void Quieten(string folder)
    {
        const int Errors = 3;
        var path = Path.Combine(folder, Config);
        var json = JsonNode.Parse(InputFile.ReadAllBytes(path));
        if (json?["model"]?["decoder"]?["session_options"] is not JsonObject options || options.ContainsKey("log_severity_level"))
            return;
        options["log_severity_level"] = Errors;
        AtomicFile.Write(path, json.ToJsonString(Indented));
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
