using System.Text;
using System.Text.Json;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Safetensors;

namespace OrtPeft.Models.Tests.Checkpoints.Gguf;

/// <summary>A GGUF file in the making. Files that it makes of HF's tiny models have been read by llama.cpp, with HF's
/// tokens.</summary>
internal sealed class GgufDraft
{
    private static readonly (string Ggml, string Hf)[] Modules =
    [
        ("attn_norm", "input_layernorm"), ("attn_q", "self_attn.q_proj"), ("attn_k", "self_attn.k_proj"),
        ("attn_v", "self_attn.v_proj"), ("attn_qkv", "self_attn.qkv_proj"), ("attn_output", "self_attn.o_proj"),
        ("attn_q_norm", "self_attn.q_norm"), ("attn_k_norm", "self_attn.k_norm"), ("ffn_gate", "mlp.gate_proj"),
        ("ffn_up", "mlp.up_proj"), ("ffn_up", "mlp.gate_up_proj"), ("ffn_down", "mlp.down_proj"),
        ("ffn_gate_inp", "block_sparse_moe.gate"), ("ffn_gate_inp", "mlp.gate"), ("ffn_gate_inp_shexp", "mlp.shared_expert_gate"),
        ("ffn_gate_shexp", "mlp.shared_expert.gate_proj"), ("ffn_up_shexp", "mlp.shared_expert.up_proj"),
        ("ffn_down_shexp", "mlp.shared_expert.down_proj"),
    ];

    /// <summary>The matrices of a layer's experts, which the converter stacks.</summary>
    private static readonly (string Ggml, string Hf)[] Experts =
    [
        ("ffn_gate_exps", "block_sparse_moe.experts.0.w1"), ("ffn_up_exps", "block_sparse_moe.experts.0.w3"),
        ("ffn_down_exps", "block_sparse_moe.experts.0.w2"), ("ffn_gate_exps", "mlp.experts.0.gate_proj"),
        ("ffn_up_exps", "mlp.experts.0.up_proj"), ("ffn_down_exps", "mlp.experts.0.down_proj"),
    ];

    public List<(string Key, uint Type, object Value)> Metadata { get; } = [];

    public List<(string Name, long[] Dims, uint Type, byte[] Bytes)> Tensors { get; } = [];

    public uint Magic { get; set; } = 0x46554747;

    public uint Version { get; set; } = 3;

    public int Alignment { get; set; } = 32;

    /// <summary>A family's model, as llama.cpp's converter lays it out.</summary>
    /// <param name="folder">HF's folder.</param>
    /// <param name="narrow">Makes bytes of a matrix, with ggml's number of their type.</param>
    public static GgufDraft Of(string folder, Func<float[], (uint Type, byte[] Bytes)>? narrow = null)
    {
        using var config = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "config.json")));
        var json = config.RootElement;
        var type = json.GetProperty("model_type").GetString()!;
        var architecture = type switch
        {
            "gemma3_text" => "gemma3",
            "mistral" or "mixtral" => "llama",
            "qwen2_moe" => "qwen2moe",
            "qwen3_moe" => "qwen3moe",
            _ => type,
        };
        var draft = new GgufDraft();
        draft.AddMetadata(json, architecture);
        var isGemma = architecture.StartsWith("gemma", StringComparison.Ordinal);
        var tensors = SafetensorsFile.Open(Path.Combine(folder, "model.safetensors")).Tensors;
        foreach (var (name, tensor) in tensors)
        {
            if (name.Contains(".experts.", StringComparison.Ordinal))
            {
                draft.AddExperts(name, tensors, narrow);
                continue;
            }

            var numbers = tensor.ToFloat32();
            if (isGemma && name.EndsWith("norm.weight", StringComparison.Ordinal))
                numbers = [.. numbers.Select(static n => n + 1)];
            var heads = name.Contains(".q_proj.", StringComparison.Ordinal) ? json.GetProperty("num_attention_heads").GetInt32()
                : name.Contains(".k_proj.", StringComparison.Ordinal) ? json.GetProperty("num_key_value_heads").GetInt32()
                : 0;
            if (architecture is "llama" or "granite" or "smollm3" && heads > 0)
                numbers = Permuted(numbers, heads, (int)tensor.Dims[0]);
            var (kind, bytes) = tensor.Dims.Length == 2 && narrow is not null ? narrow(numbers) : (0u, Bytes(numbers));
            draft.Tensors.Add((Ggml(name, architecture is "gemma2" or "gemma3" or "olmo2"), [.. tensor.Dims], kind, bytes));
        }

        return draft;
    }

    /// <summary>All experts' matrices in the tensor of the first's name; those of others are in it.</summary>
    private void AddExperts(
        string name, IReadOnlyDictionary<string, Tensor> tensors, Func<float[], (uint Type, byte[] Bytes)>? narrow)
    {
        var parts = name.Split('.');
        if (parts[5] != "0")
            return;
        var experts = Enumerable.Range(0, int.MaxValue)
            .Select(i => tensors.GetValueOrDefault(string.Join('.', [.. parts[..5], $"{i}", .. parts[6..]])))
            .TakeWhile(static t => t is not null).Select(static t => t!).ToList();
        float[] numbers = [.. experts.SelectMany(static t => t.ToFloat32())];
        var (kind, bytes) = narrow is null ? (0u, Bytes(numbers)) : narrow(numbers);
        var ggml = Experts.First(e => e.Hf == string.Join('.', parts[3..^1])).Ggml;
        Tensors.Add(($"blk.{parts[2]}.{ggml}.weight", [experts.Count, .. experts[0].Dims], kind, bytes));
    }

    public void Add(string key, string value) => Metadata.Add((key, 8, value));

    public void Add(string key, uint value) => Metadata.Add((key, 4, value));

    public void Add(string key, float value) => Metadata.Add((key, 6, value));

    public static byte[] Bytes(float[] numbers) => [.. numbers.SelectMany(BitConverter.GetBytes)];

    /// <summary>The file's bytes.</summary>
    public byte[] ToBytes()
    {
        using var memory = new MemoryStream();
        using var writer = new BinaryWriter(memory);
        writer.Write(Magic);
        writer.Write(Version);
        writer.Write((long)Tensors.Count);
        writer.Write((long)Metadata.Count);
        foreach (var (key, type, value) in Metadata)
        {
            Text(writer, key);
            writer.Write(type);
            Value(writer, value);
        }

        long offset = 0;
        foreach (var (name, dims, type, bytes) in Tensors)
        {
            Text(writer, name);
            writer.Write(dims.Length);
            foreach (var dim in dims.Reverse())
                writer.Write(dim);
            writer.Write(type);
            writer.Write(offset);
            offset += bytes.Length + Padding(bytes.Length);
        }

        writer.Write(new byte[Padding(memory.Length)]);
        foreach (var (_, _, _, bytes) in Tensors)
        {
            writer.Write(bytes);
            writer.Write(new byte[Padding(bytes.Length)]);
        }

        return memory.ToArray();
    }

    private long Padding(long length) => (Alignment - (length % Alignment)) % Alignment;

    private void AddMetadata(JsonElement json, string architecture)
    {
        Add("general.architecture", architecture);
        foreach (var (key, field) in (ReadOnlySpan<(string, string)>)
            [
                ("context_length", "max_position_embeddings"), ("embedding_length", "hidden_size"),
                ("block_count", "num_hidden_layers"), ("feed_forward_length", "intermediate_size"),
                ("attention.head_count", "num_attention_heads"), ("attention.head_count_kv", "num_key_value_heads"),
                ("attention.key_length", "head_dim"), ("attention.value_length", "head_dim"),
                ("rope.dimension_count", "head_dim"), ("attention.sliding_window", "sliding_window"),
                ("expert_count", "num_local_experts"), ("expert_count", "num_experts"),
                ("expert_used_count", "num_experts_per_tok"), ("expert_feed_forward_length", "moe_intermediate_size"),
                ("expert_shared_feed_forward_length", "shared_expert_intermediate_size"),
            ])
        {
            if (json.TryGetProperty(field, out var value) && value.ValueKind == JsonValueKind.Number && !(architecture == "llama" && field == "sliding_window"))
                Add($"{architecture}.{key}", value.GetUInt32());
        }

        var rope = json.GetProperty("rope_parameters");
        if (rope.TryGetProperty("full_attention", out var full))
            rope = full;
        Add($"{architecture}.rope.freq_base", rope.GetProperty("rope_theta").GetSingle());
        Add($"{architecture}.attention.layer_norm_rms_epsilon", json.GetProperty("rms_norm_eps").GetSingle());
        foreach (var (key, field) in (ReadOnlySpan<(string, string)>)
            [
                ("attn_logit_softcapping", "attn_logit_softcapping"), ("final_logit_softcapping", "final_logit_softcapping"),
                ("attention.scale", "attention_multiplier"), ("embedding_scale", "embedding_multiplier"),
                ("residual_scale", "residual_multiplier"), ("logit_scale", "logits_scaling"),
            ])
        {
            if (json.TryGetProperty(field, out var number) && number.ValueKind == JsonValueKind.Number)
                Add($"{architecture}.{key}", number.GetSingle());
        }

        Add("tokenizer.ggml.model", "gpt2");
        Add("tokenizer.ggml.pre", "gpt-2");
        Metadata.Add(("tokenizer.ggml.tokens", 9, Tokens(json.GetProperty("vocab_size").GetInt32())));
        Metadata.Add(("tokenizer.ggml.merges", 9, new[] { "Ġ t" }));
        Add("tokenizer.ggml.bos_token_id", 1u);
        Add("tokenizer.ggml.eos_token_id", 2u);
    }

    /// <summary>Bytes as byte-level BPE writes them, the last one given away for a merge.</summary>
    private static string[] Tokens(int count)
    {
        var next = 256;
        var bytes = Enumerable.Range(0, 256)
            .Select(b => b is (>= 33 and <= 126) or (>= 161 and <= 172) or >= 174 ? (char)b : (char)next++)
            .Select(static c => $"{c}").ToArray();
        return [.. bytes[..255], "Ġt", .. Enumerable.Range(256, Math.Max(0, count - 256)).Select(static i => $"<{i}>")];
    }

    private static string Ggml(string name, bool hasNormsAround)
    {
        var parts = name.Split('.');
        if (parts is not ["model", "layers", var layer, ..])
            return name switch
            {
                "model.embed_tokens.weight" => "token_embd.weight",
                "model.norm.weight" => "output_norm.weight",
                _ => "output.weight",
            };
        var module = string.Join('.', parts[3..^1]);
        var ggml = (module, hasNormsAround) switch
        {
            ("post_attention_layernorm", true) => "post_attention_norm",
            ("pre_feedforward_layernorm", _) => "ffn_norm",
            ("post_feedforward_layernorm", _) => "post_ffw_norm",
            ("post_attention_layernorm", false) => "ffn_norm",
            _ => Modules.First(m => m.Hf == module).Ggml,
        };
        return $"blk.{layer}.{ggml}.{parts[^1]}";
    }

    /// <summary>As llama.cpp's converter: reshape(heads, 2, half, in).swapaxes(1, 2).</summary>
    private static float[] Permuted(float[] numbers, int heads, int rows)
    {
        var (columns, half) = (numbers.Length / rows, rows / heads / 2);
        var result = new float[numbers.Length];
        var to = 0;
        for (var head = 0; head < heads; head++)
            for (var i = 0; i < half; i++)
                for (var part = 0; part < 2; part++, to++)
                    Array.Copy(numbers, ((((head * 2) + part) * half) + i) * columns, result, to * columns, columns);
        return result;
    }

    private static void Text(BinaryWriter writer, string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        writer.Write((long)bytes.Length);
        writer.Write(bytes);
    }

    private static void Value(BinaryWriter writer, object value)
    {
        switch (value)
        {
            case string text:
                Text(writer, text);
                break;
            case uint number:
                writer.Write(number);
                break;
            case float number:
                writer.Write(number);
                break;
            case byte[] raw:
                writer.Write(raw);
                break;
            case string[] texts:
                writer.Write(8u);
                writer.Write((long)texts.Length);
                foreach (var text in texts)
                    Text(writer, text);
                break;
            default:
                throw new ArgumentException($"{value}", nameof(value));
        }
    }
}
