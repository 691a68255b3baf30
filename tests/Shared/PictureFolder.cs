using System.Text.Json.Nodes;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Safetensors;
using OrtPeft.Tensors.Storage;

namespace OrtPeft.Testing;

/// <summary>An HF folder of a model that reads pictures too, around a model of texts.</summary>
internal static class PictureFolder
{
    /// <summary>A tensor that has nothing to do with texts.</summary>
    public const string Tower = "vision_tower.vision_model.post_layernorm.bias";

    /// <summary>Its bytes, of 1 and 2 in bfloat16.</summary>
    public static readonly byte[] TowerBytes = [0x80, 0x3f, 0, 0x40];

    /// <summary>Writes one.</summary>
    /// <param name="texts">An HF folder of a model of texts.</param>
    /// <param name="folder">Receives the files.</param>
    /// <param name="type">The <c>model_type</c> of the whole.</param>
    /// <param name="hasOldNames">Whether weights are called as before transformers 4.52, which files mostly are.</param>
    public static void Write(string texts, string folder, string type, bool hasOldNames)
    {
        var part = (JsonObject)JsonNode.Parse(File.ReadAllText(Path.Combine(texts, "config.json")))!;
        part.Remove("architectures");
        var config = new JsonObject
        {
            ["model_type"] = type,
            ["text_config"] = part,
            ["vision_config"] = new JsonObject { ["hidden_size"] = 8 },
            ["image_token_index"] = 255,
            ["mm_tokens_per_image"] = 4,
            ["torch_dtype"] = "float32",
        };
        File.WriteAllText(Path.Combine(folder, "config.json"), config.ToJsonString());
        foreach (var file in Directory.EnumerateFiles(texts, "tokenizer*"))
            File.Copy(file, Path.Combine(folder, Path.GetFileName(file)));
        (string Name, Tensor Tensor)[] tensors =
        [
            .. SafetensorsFile.Open(Path.Combine(texts, "model.safetensors")).Tensors.Select(t => (
                hasOldNames ? $"language_model.{t.Key}" : t.Key.Replace("model.", "model.language_model.", StringComparison.Ordinal),
                t.Value)),
            (hasOldNames ? Tower : $"model.{Tower}", new Tensor(ElementType.BFloat16, [2], new MemoryTensorData(TowerBytes))),
        ];
        SafetensorsFile.Save(Path.Combine(folder, "model.safetensors"), tensors);
    }
}
