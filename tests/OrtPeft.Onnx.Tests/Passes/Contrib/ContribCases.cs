namespace OrtPeft.Onnx.Tests.Passes.Contrib;

/// <summary>Nodes for every row of the table of fused operators: forms of inputs, masks, pasts, attributes.</summary>
internal static class ContribCases
{
    public static IEnumerable<string> All =>
        [.. Pointwise, .. Norms, .. Embeddings, .. Attention, .. MultiHead, .. GroupQuery, .. Rotary, .. Convolutions,
            .. QuantizedRows, .. Experts, .. CodesOfFourBits];

    private static string[] CodesOfFourBits =>
    [
        "com.microsoft.MatMulBnb4(float[B,S,32]; ~uint8[96]; ~float[12]) K=32 N=6 block_size=16 quant_type=1",
        "com.microsoft.MatMulBnb4(float[B,S,32]; ~uint8[96]; ~float[12]) K=32 N=6 block_size=16 quant_type=0",
        "com.microsoft.MatMulBnb4(float[B,32]; ~uint8[48]; ~float[3]) K=32 N=3 block_size=32 quant_type=1 transB=1",
        "com.microsoft.MatMulBnb4(float[B,S,24]; ~uint8[72]; ~float[9]) K=24 N=6 block_size=16 quant_type=1",
        "com.microsoft.MatMulBnb4(float[B,S,20]; ~uint8[30]; ~float[4]) K=20 N=3 block_size=16 quant_type=0",
    ];

    private static string[] Convolutions =>
    [
        "com.microsoft.CausalConvWithState(float[B,4,S]; float[4,1,3]) outputs=2",
        "com.microsoft.CausalConvWithState(float[B,4,S]; float[4,1,3]; float[4]; float[B,4,2]) outputs=2",
        "com.microsoft.CausalConvWithState(float[B,4,S]; float[4,1,4]; float[4]) activation='silu' outputs=2",
        "com.microsoft.CausalConvWithState(float[B,4,S]; float[4,1,2]; -; float[B,4,1]) activation='swish' outputs=2",
        "com.microsoft.CausalConvWithState(float[B,4,S]; float[4,1,1]; float[4]) activation='none' outputs=2",
    ];

    private static string[] QuantizedRows =>
    [
        "com.microsoft.GatherBlockQuantized(~uint8[5,32]; int64[B,S]; ~float[5,2]) block_size=32",
        "com.microsoft.GatherBlockQuantized(~uint8[5,32]; int32[B,S]; ~float[5,4]; ~uint8[5,2]) block_size=16",
        "com.microsoft.GatherBlockQuantized(~uint8[5,24]; int64[B]; ~float[5,3]; ~uint8[5,2]) block_size=16 bits=4",
        "com.microsoft.GatherBlockQuantized(~uint8[5,40]; int64[B,S]; ~float[5,3]; ~uint8[5,3]) block_size=16 bits=8",
        "com.microsoft.GatherBlockQuantized(~uint8[5,40]; int64[B,S]; ~float[5,2]) block_size=32 bits=8",
        "com.microsoft.GatherBlockQuantized(~uint8[5,8]; int64[B,S]; ~float[5,2]) block_size=16 bits=2",
        "com.microsoft.GatherBlockQuantized(~uint4[5,32]; int64[B,S]; ~float[5,2]) block_size=16 quantize_axis=-1",
        "com.microsoft.GatherBlockQuantized(~int4[5,32]; int64[B,S]; ~float[5,2]; ~int4[5,2]) block_size=16 gather_axis=0",
        "com.microsoft.GatherBlockQuantized(~int4[5,48]; int64[1]; ~float[5,3]) block_size=16",
    ];

    private static string[] Experts =>
    [
        "com.microsoft.MoE(float[B,S,8]; float[6,4]; float[4,5,8]; float[4,5]; float[4,8,5]; float[4,8]) k=2",
        "com.microsoft.MoE(float[6,8]; float[6,4]; float[4,5,8]; -; float[4,8,5]) k=1 activation_type='gelu'",
        "com.microsoft.MoE(float[B,S,8]; float[6,4]; float[4,5,8]; -; float[4,8,5]) k=3 activation_type='silu' " +
            "normalize_routing_weights=1",
        "com.microsoft.MoE(float[B,S,8]; float[6,4]; float[4,5,8]; -; float[4,8,5]) k=4 activation_type='identity'",
        "com.microsoft.MoE(float[B,S,8]; float[6,4]; float[4,10,8]; float[4,10]; float[4,8,5]; float[4,8]) k=2 " +
            "activation_type='swiglu' swiglu_fusion=1 activation_alpha=1.702f activation_beta=1f swiglu_limit=0.5f " +
            "normalize_routing_weights=1",
        "com.microsoft.MoE(float[B,S,8]; float[6,4]; float[4,10,8]; float[4,10]; float[4,8,5]; float[4,8]) k=2 " +
            "activation_type='swiglu' swiglu_fusion=1",
        "com.microsoft.QMoE(float[B,S,32]; float[6,4]; ~uint8[4,32,16]; ~float[4,32]; float[4,32]; ~uint8[4,32,16]; " +
            "~float[4,32]; float[4,32]) k=2 normalize_routing_weights=1 activation_type='silu'",
        "com.microsoft.QMoE(float[B,S,32]; float[6,4]; ~uint8[4,64,16]; ~float[4,64,2]; -; ~uint8[4,32,16]; " +
            "~float[4,32,2]) k=2 block_size=16 activation_type='swiglu' swiglu_fusion=1 activation_alpha=1.702f " +
            "activation_beta=1f swiglu_limit=0.7f normalize_routing_weights=1",
        "com.microsoft.QMoE(float[B,S,32]; float[6,4]; ~uint8[4,32,16]; ~float[4,32,2]; float[4,32]; ~uint8[4,32,16]; " +
            "~float[4,32,2]; -; -; -; -; ~uint8[4,32,1]; ~uint8[4,32,1]) k=1 block_size=16 normalize_routing_weights=1 " +
            "activation_type='silu'",
        "com.microsoft.QMoE(float[B,S,32]; float[6,4]; ~uint8[4,32,32]; ~float[4,32]; -; ~uint8[4,32,32]; " +
            "~float[4,32]) k=1 expert_weight_bits=8 activation_type='relu' normalize_routing_weights=1",
    ];

    private static string[] Pointwise =>
    [
        "com.microsoft.Gelu(float[B,S,4])",
        "com.microsoft.BiasGelu(float[B,S,4]; float[4])",
        "com.microsoft.FastGelu(float[B,S,4])",
        "com.microsoft.FastGelu(float[B,S,4]; float[4])",
        "com.microsoft.QuickGelu(float[B,S,4])",
        "com.microsoft.QuickGelu(float[B,S,4]) alpha=1.5f",
        "com.microsoft.FusedMatMul(float[B,4,S]; float[B,4,5]) transA=1 alpha=0.3f",
        "com.microsoft.FusedMatMul(float[B,S,4]; float[5,4]) transB=1",
        "com.microsoft.FusedMatMul(float[B,S,4]; float[4,5]) alpha=2.5f",
        "com.microsoft.FusedMatMul(float[S,B,4]; float[B,4,5]) transBatchA=1",
        "com.microsoft.FusedMatMul(float[4,B,S]; float[4,B,5]) transBatchA=1 transA=1 transBatchB=1",
        "com.microsoft.FusedGemm(float[6,4]; float[4,5]) activation='Relu'",
        "com.microsoft.FusedGemm(float[6,4]; float[5,4]; float[5]) transB=1 alpha=0.5f beta=2f activation='Tanh'",
        "com.microsoft.FusedGemm(float[4,6]; float[4,5]; float[5]) transA=1 activation='LeakyRelu' activation_alpha=0.3f",
        "com.microsoft.TransposeMatMul(float[B,S,4]; float[B,5,4]) transB=1",
    ];

    private static string[] Norms =>
    [
        "com.microsoft.SkipLayerNormalization(float[B,S,4]; float[B,S,4]; float[4])",
        "com.microsoft.SkipLayerNormalization(float[B,S,4]; float[B,S,4]; float[4]; float[4]) epsilon=0.1f",
        "com.microsoft.SkipLayerNormalization(float[B,S,4]; float[B,S,4]; float[4]; float[4]; float[4])",
        "com.microsoft.SkipLayerNormalization(float[B,S,4]; float[S,4]; float[4]; -; float[4])",
        "com.microsoft.SkipLayerNormalization(float[B,S,4]; float[1,S,4]; float[4]; float[4]) sums=1",
        "com.microsoft.SkipSimplifiedLayerNormalization(float[B,S,4]; float[B,S,4]; float[4]) epsilon=0.1f",
        "com.microsoft.SkipSimplifiedLayerNormalization(float[B,S,4]; float[B,S,4]; float[4]; float[4]) sums=1",
        "com.microsoft.SkipSimplifiedLayerNormalization(float[B,S,4]; float[S,4]; float[4]; float[4])",
    ];

    private static string[] Embeddings =>
    [
        "com.microsoft.EmbedLayerNormalization(int32[B,S]; -; float[9,8]; float[9,8]; -; float[8]; float[8]) outputs=2",
        "com.microsoft.EmbedLayerNormalization(int32[B,S]; int32[B,S]; float[9,8]; float[9,8]; float[2,8]; " +
            "float[8]; float[8]) outputs=3",
        "com.microsoft.EmbedLayerNormalization(int32[B,S]; -; float[9,8]; float[9,8]; -; float[8]; float[8]; " +
            "int32[B,S]) outputs=2",
        "com.microsoft.EmbedLayerNormalization(int32[B,S]; -; float[9,8]; float[9,8]; -; float[8]; float[8]; -; " +
            "int32[B,S])" +
            " outputs=3 epsilon=0.1f",
        "com.microsoft.EmbedLayerNormalization(int32[B,S]; -; float[9,8]; float[9,8]; -; float[8]; float[8]; -; " +
            "int32[1,S]) outputs=2",
    ];

    private static string[] Attention =>
    [
        "com.microsoft.Attention(float[B,S,8]; float[8,24]; float[24]) num_heads=2",
        "com.microsoft.Attention(float[B,S,8]; float[8,24]; float[24]) num_heads=2 unidirectional=1 outputs=2",
        "com.microsoft.Attention(float[B,S,8]; float[8,24]; float[24]) num_heads=4 scale=0.2f",
        "com.microsoft.Attention(float[B,S,8]; float[8,28]; float[28]) num_heads=2 qkv_hidden_sizes=[8,8,12]",
        "com.microsoft.Attention(float[B,S,8]; float[8,24]; float[24]; int32[B,S]) num_heads=2",
        "com.microsoft.Attention(float[B,S,8]; float[8,24]; float[24]; int32[B,S]) num_heads=2 unidirectional=1",
        "com.microsoft.Attention(float[B,S,8]; float[8,24]; float[24]; int32[B,S]) num_heads=2 unidirectional=1 " +
            "mask_filter_value=-5f",
        "com.microsoft.Attention(float[B,S,8]; float[8,24]; float[24]; int32[B,S,S]) num_heads=2 unidirectional=1",
        "com.microsoft.Attention(float[B,S,8]; float[8,24]; float[24]; i=2,3) num_heads=2",
        "com.microsoft.Attention(float[B,S,8]; float[8,24]; float[24]; i=1,3) num_heads=2 unidirectional=1",
        "com.microsoft.Attention(float[B,S,8]; float[8,24]; float[24]; i=3,2,1,0) num_heads=2",
        "com.microsoft.Attention(float[B,S,8]; float[8,24]; float[24]; -; float[2,B,2,P,4]) num_heads=2 " +
            "unidirectional=1 outputs=2",
        "com.microsoft.Attention(float[B,S,8]; float[8,24]; float[24]; int32[B,T]; float[2,B,2,P,4]) num_heads=2 " +
            "unidirectional=1" +
            " outputs=2 mask_filter_value=-3.4e38f",
        "com.microsoft.Attention(float[B,S,8]; float[8,24]; float[24]; int32[B,T]; float[2,B,2,P,4]) num_heads=2 " +
            "outputs=2",
        "com.microsoft.Attention(float[B,S,8]; float[8,24]; float[24]; -; -; float[B,2,S,S]) num_heads=2",
        "com.microsoft.Attention(float[B,S,8]; float[8,24]; float[24]; -; -; float[1,2,S,S]) num_heads=2 " +
            "unidirectional=1",
    ];

    private static string[] MultiHead =>
    [
        "com.microsoft.MultiHeadAttention(float[B,S,8]; float[B,S,8]; float[B,S,8]) num_heads=2",
        "com.microsoft.MultiHeadAttention(float[B,S,8]; float[B,P,8]; float[B,P,12]) num_heads=2 scale=0.3f",
        "com.microsoft.MultiHeadAttention(float[B,S,8]; float[B,S,8]; float[B,S,8]; float[24]) num_heads=4 " +
            "unidirectional=1",
        "com.microsoft.MultiHeadAttention(float[B,S,8]; float[B,P,8]; float[B,P,8]; -; int32[B,P]) num_heads=2 " +
            "mask_filter_value=-50f",
        "com.microsoft.MultiHeadAttention(float[B,S,8]; float[B,P,8]; float[B,P,8]; -; i=2,4) num_heads=2 " +
            "mask_filter_value=-50f",
        "com.microsoft.MultiHeadAttention(float[B,S,8]; float[B,S,8]; float[B,S,8]; -; -; float[1,2,S,S]) num_heads=2",
        "com.microsoft.MultiHeadAttention(float[B,S,8]; float[B,2,P,4]; float[B,2,P,4]) num_heads=2",
        "com.microsoft.MultiHeadAttention(float[B,S,8]; float[B,2,P,4]; float[B,2,P,4]; float[24]) num_heads=2",
        "com.microsoft.MultiHeadAttention(float[B,S,8]; float[B,P,8]; float[B,P,8]; -; int32[B,S,P]) num_heads=2 " +
            "mask_filter_value=-50f",
        "com.microsoft.MultiHeadAttention(float[B,S,8]; float[B,P,8]; float[B,P,8]; -; " +
            "i=2,4, 0,3,6, 0,2,6) num_heads=2 mask_filter_value=-50f",
        "com.microsoft.MultiHeadAttention(float[B,S,8]; float[B,2,P,4]; float[B,2,P,4]; -; int32[B,P]; " +
            "float[B,1,S,P]) num_heads=2 mask_filter_value=-50f",
        "com.microsoft.MultiHeadAttention(float[B,S,8]; float[B,S,8]; float[B,S,8]; -; -; -; float[B,2,P,4]; " +
            "float[B,2,P,4])" +
            " num_heads=2 outputs=3 unidirectional=1",
        "com.microsoft.MultiHeadAttention(float[B,S,8]; float[B,S,8]; float[B,S,8]; float[24]; int32[B,T]; " +
            "float[B,2,S,T];" +
            " float[B,2,P,4]; float[B,2,P,4]) num_heads=2 outputs=3 mask_filter_value=-50f",
    ];

    private static string[] GroupQuery =>
    [
        .. GroupQueryPrompts, .. GroupQueryCaches, .. GroupQueryScores,
    ];

    private static string[] GroupQueryPrompts =>
    [
        Gqa("float[B,S,32]; float[B,S,32]; float[B,S,32]; -; -; i=2,2; i=#3", "num_heads=2 kv_num_heads=2"),
        Gqa("float[B,S,64]; float[B,S,32]; float[B,S,32]; -; -; i=2,2; i=#3", "scale=0.2f"),
        Gqa("float[B,S,128]; -; -; -; -; i=2,2; i=#3; float[9,8]; float[9,8]", "do_rotary=1"),
        Gqa("float[B,S,64]; float[B,S,32]; float[B,S,32]; -; -; i=2,2; i=#3; float[9,8]; float[9,8]",
            "do_rotary=1 rotary_interleaved=1 softcap=1.5f"),
        Gqa("float[B,S,128]; float[B,S,64]; float[B,S,64]; -; -; i=2,2; i=#3; float[9,8]; float[9,8]", "do_rotary=1"),
        Gqa("float[B,S,64]; float[B,S,32]; float[B,S,32]; -; -; i=2,2; i=#3", "local_window_size=2"),
        Gqa("float[B,S,64]; float[B,S,32]; float[B,S,32]; float[B,2,P,16]; float[B,2,P,16]; i=2,2; i=#3", ""),
    ];

    /// <summary>Rows of equal and of unequal pasts, in caches as long as the past or longer.</summary>
    private static string[] GroupQueryCaches =>
    [
        Gqa(Step + "i=4,4; i=#5; float[9,8]; float[9,8]", "do_rotary=1"),
        Gqa(Step + "i=4,2; i=#5", ""),
        Gqa(Step + "i=1,4; i=#5; float[9,8]; float[9,8]", "do_rotary=1"),
        Gqa(Step + "i=1,4; i=#5; float[9,8]; float[9,8]", "do_rotary=1 rotary_interleaved=1 local_window_size=2"),
        Gqa(Step + "i=2,1; i=#3; float[9,8]; float[9,8]", "do_rotary=1"),
        Gqa(Step + "i=2,3; i=#4; float[9,8]; float[9,8]; int64[B,1]", "do_rotary=1 local_window_size=1"),
        Gqa(Step.Replace("64]; float[B,1,32]; float[B,1,32]", "128]; -; -", StringComparison.Ordinal)
            + "i=3,1; i=#4; float[9,8]; float[9,8]", "do_rotary=1"),
        Gqa(Chunk + "i=6; i=#7; float[9,8]; float[9,8]", "do_rotary=1"),
        Gqa(Chunk + "i=6; i=#7", "local_window_size=3"),
        Gqa(Chunk + "i=3; i=#4; float[9,8]; float[9,8]", "do_rotary=1 softcap=2f"),
    ];

    /// <summary>What else changes the scores: biases, sinks, smooth softmax.</summary>
    private static string[] GroupQueryScores =>
    [
        Gqa(Prompt + "-; -; -; float[B,4,S,S]", ""),
        Gqa(Prompt + "-; -; -; float[1,1,S,S]", "softcap=1.5f local_window_size=2"),
        Gqa(Prompt + "-; -; -; -; float[4]", ""),
        Gqa(Prompt + "-; -; -; -; float[4]", "local_window_size=2 softcap=3f"),
        Gqa(Prompt, "smooth_softmax=1"),
        Gqa(Step + "i=4,2; i=#5; -; -; -; float[B,4,1,5]", ""),
        Gqa(Step + "i=1,2; i=#3; -; -; -; float[1,4,1,3]; float[4]", ""),
        Gqa(Step + "i=1,4; i=#5", "smooth_softmax=1"),
        Gqa(Chunk + "i=6; i=#7; -; -; -; float[1,1,S,T]", ""),
    ];

    private static string Prompt => "float[B,S,64]; float[B,S,32]; float[B,S,32]; -; -; i=2,2; i=#3; ";

    private static string Step => "float[B,1,64]; float[B,1,32]; float[B,1,32]; float[B,2,P,16]; float[B,2,P,16]; ";

    private static string Chunk => "float[1,S,64]; float[1,S,32]; float[1,S,32]; float[1,2,P,16]; float[1,2,P,16]; ";

    private static string Gqa(string inputs, string attributes)
    {
        var heads = attributes.Contains("num_heads", StringComparison.Ordinal) ? "" : "num_heads=4 kv_num_heads=2 ";
        return $"com.microsoft.GroupQueryAttention({inputs.TrimEnd(' ', ';')}) {heads}{attributes} outputs=3";
    }

    private static string[] Rotary =>
    [
        "com.microsoft.RotaryEmbedding(float[B,S,16]; int64[B,S]; float[9,4]; float[9,4])",
        "com.microsoft.RotaryEmbedding(float[B,S,16]; int64[1]; float[9,4]; float[9,4]) interleaved=1",
        "com.microsoft.RotaryEmbedding(float[B,2,S,8]; int64[B,S]; float[9,4]; float[9,4])",
        "com.microsoft.RotaryEmbedding(float[B,2,S,8]; int64[1]; float[9,4]; float[9,4]) interleaved=1",
        "com.microsoft.RotaryEmbedding(float[B,S,16]; int64[B,S]; float[9,2]; float[9,2]) num_heads=2 " +
            "rotary_embedding_dim=4",
        "com.microsoft.RotaryEmbedding(float[B,S,16]; int64[1]; float[9,2]; float[9,2]) num_heads=2 " +
            "rotary_embedding_dim=4 interleaved=1",
        "com.microsoft.RotaryEmbedding(float[B,2,S,8]; int64[B,S]; float[9,2]; float[9,2]) num_heads=2 " +
            "rotary_embedding_dim=4",
        "com.microsoft.RotaryEmbedding(float[B,S,16]; int64[B,S]; float[9,4]; float[9,4]) scale=2f",
    ];
}
