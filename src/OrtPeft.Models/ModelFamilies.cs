using OrtPeft.Models.Checkpoints.Packing;
using OrtPeft.Models.Configuration;
using OrtPeft.Models.Gemma;
using OrtPeft.Models.Gpt2;
using OrtPeft.Models.GptNeoX;
using OrtPeft.Models.Granite;
using OrtPeft.Models.Llama;
using OrtPeft.Models.Mistral;
using OrtPeft.Models.Mixtral;
using OrtPeft.Models.Olmo2;
using OrtPeft.Models.Opt;
using OrtPeft.Models.Phi;
using OrtPeft.Models.Phi3;
using OrtPeft.Models.Qwen2;
using OrtPeft.Models.Qwen3;
using OrtPeft.Models.QwenMoe;
using OrtPeft.Models.SmolLm3;

namespace OrtPeft.Models;

/// <summary>The model families that can be built, by the <c>model_type</c> of their <c>config.json</c>.</summary>
public static class ModelFamilies
{
    /// <summary>The name of a folder's model description.</summary>
    public const string ConfigFileName = "config.json";

    /// <summary>The name of the file with an HF model's settings for generation.</summary>
    public const string GenerationConfigFileName = "generation_config.json";

    private const string EncoderDecoder = "false: encoder-decoder models cannot be built";

    private static readonly (string ModelType, Func<ModelFields, ModelConfig> Read)[] Rows =
    [
        ("gpt2", static fields => Gpt2Config.Read(fields)),
        ("llama", static fields => LlamaConfig.Read(fields, new LlamaConfig())),
        ("mistral", static fields => LlamaConfig.Read(fields, MistralFamily.Defaults)),
        ("qwen2", static fields => LlamaConfig.Read(fields, Qwen2Family.Defaults)),
        ("qwen3", static fields => LlamaConfig.Read(fields, Qwen3Family.Defaults)),
        ("gemma", static fields => LlamaConfig.Read(fields, GemmaFamily.Defaults)),
        ("gemma2", static fields => LlamaConfig.Read(fields, Gemma2Family.Defaults)),
        ("gemma3_text", static fields => LlamaConfig.Read(fields, Gemma3Family.Defaults)),
        ("phi3", static fields => LlamaConfig.Read(fields, Phi3Family.Defaults)),
        ("smollm3", static fields => LlamaConfig.Read(fields, SmolLm3Family.Defaults)),
        ("granite", static fields => LlamaConfig.Read(fields, GraniteFamily.Defaults)),
        ("olmo2", static fields => LlamaConfig.Read(fields, Olmo2Family.Defaults)),
        ("mixtral", static fields => LlamaConfig.Read(fields, MixtralFamily.Defaults)),
        ("qwen2_moe", static fields => LlamaConfig.Read(fields, Qwen2MoeFamily.Defaults)),
        ("qwen3_moe", static fields => LlamaConfig.Read(fields, Qwen3MoeFamily.Defaults)),
        ("phi", static fields => PhiConfig.Read(fields)),
        ("gpt_neox", static fields => GptNeoXConfig.Read(fields)),
        ("opt", static fields => OptConfig.Read(fields)),
    ];

    /// <summary>The known values of <c>model_type</c>.</summary>
    public static IEnumerable<string> ModelTypes => Rows.Select(static row => row.ModelType);

    /// <summary>Reads a model description.</summary>
    /// <param name="path">The <c>config.json</c>.</param>
    /// <returns>The description, checked.</returns>
    /// <exception cref="ModelConfigException">
    /// The file is not a JSON object, of an unknown family, or has a bad field.
    /// </exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static ModelConfig Read(string path)
    {
        return Read(ModelFields.Open(path, isToBuild: true), path);
    }

    /// <summary>As above, of fields.</summary>
    internal static ModelConfig Read(ModelFields fields, string path)
    {
        var part = TextPart.Of(fields);
        var type = TypeOf(fields, part);
        if (Find(type) is { } read)
            return Read(fields, part, read);
        var folder = Path.GetDirectoryName(path) is { Length: > 0 } name ? name : ".";
        throw (part ?? fields).Broken(
            "model_type",
            $"'{type}'",
            $"one of {string.Join(", ", ModelTypes)}; {OtherFamilies.AdviceFor(type, folder, TextPart.ReadsMore(fields))}");
    }

    /// <summary>
    /// Reads the description beside a graph if it is of a known family. What the graph holds itself, such as a kind of
    /// attention that cannot be built, is not a fault here.
    /// </summary>
    /// <param name="path">The <c>config.json</c>; need not exist.</param>
    /// <returns>The description, or null when there is none or it is of another family.</returns>
    /// <exception cref="ModelConfigException">The file is not a JSON object, or a known family's field is bad.</exception>
    public static ModelConfig? TryRead(string path)
    {
        if (!File.Exists(path))
            return null;
        var fields = ModelFields.Open(path, isToBuild: false);
        var part = TextPart.Of(fields);
        return Find(TypeOf(fields, part)) is { } read ? Read(fields, part, read) : null;
    }

    private static string TypeOf(ModelFields fields, ModelFields? part) =>
        part is null ? fields.Text("model_type", "") : TextPart.FamilyOf(fields, part);

    /// <summary>Reads the fields of the part for texts, of a model that reads more, or all of them.</summary>
    private static ModelConfig Read(ModelFields fields, ModelFields? part, Func<ModelFields, ModelConfig> read)
    {
        var packing = Packing(fields) ?? (part is null ? null : Packing(part));
        var config = Read(part ?? fields, read);
        if (part is null)
            return config with { Packing = packing };
        const string Tied = "tie_word_embeddings";
        if (config is not LlamaConfig text)
        {
            part.Refuse("model_type", $"'{config.ModelType}'", "a family that is built like llama");
            return config;
        }

        return text with
        {
            Packing = packing,
            Root = TextPart.Root,
            TieWordEmbeddings = part.Has(Tied) ? config.TieWordEmbeddings : fields.Flag(Tied, config.TieWordEmbeddings),
            EosTokenId = fields.TokenId("eos_token_id", config.EosTokenId),
        };
    }

    /// <summary>Reads a family's fields, with those that HF reads for every family.</summary>
    private static ModelConfig Read(ModelFields fields, Func<ModelFields, ModelConfig> read)
    {
        if (!fields.Flag("is_causal", true))
            fields.Refuse("is_causal", "false", "true: attention to later tokens cannot be built");
        fields.RefuseWhereSet("is_encoder_decoder", EncoderDecoder);
        fields.RefuseWhereSet("add_cross_attention", EncoderDecoder);
        fields.RefuseWhereSet("pruned_heads", "no pruned head");
        fields.RefuseWhereSet("per_layer_config", "none: layers that differ from each other cannot be built");
        fields.Know(WeightPacking.Section);
        var config = read(fields);
        if (fields.IsToBuild && fields.IsOn(WeightPacking.Section) && config is Gpt2Config)
            fields.Refuse(WeightPacking.Section, "set", "none of GPT-2: fetch the model before quantization");
        fields.RefuseUnknown();
        return config;
    }

    /// <summary>How the weights are held in few bits, where a graph is to be built of them.</summary>
    private static MatrixReader? Packing(ModelFields fields) =>
        fields.IsToBuild && fields.IsOn(WeightPacking.Section)
            ? WeightPacking.Reader(fields.Section(WeightPacking.Section)!)
            : null;

    private static Func<ModelFields, ModelConfig>? Find(string type) =>
        Rows.FirstOrDefault(row => row.ModelType == type).Read;
}
