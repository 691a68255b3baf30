namespace OrtPeft.Onnx.Tests.Passes.Contrib;

/// <summary>Nodes for every row of the table of fused operators: forms of inputs, masks, pasts, attributes.</summary>
internal static class ContribCases
{
    public static IEnumerable<string> All =>
        [.. Pointwise, .. Norms, .. Embeddings, .. Attention, .. MultiHead, .. GroupQuery, .. Rotary];

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
        "SimplifiedLayerNormalization(float[B,S,4]; float[4])",
        "SimplifiedLayerNormalization(float[B,S,4]; float[4]) axis=2 epsilon=0.1f outputs=2",
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
        "com.microsoft.MultiHeadAttention(float[B,S,8]; float[B,S,8]; float[B,S,8]; -; -; -; float[B,2,P,4]; " +
            "float[B,2,P,4])" +
            " num_heads=2 outputs=3 unidirectional=1",
        "com.microsoft.MultiHeadAttention(float[B,S,8]; float[B,S,8]; float[B,S,8]; float[24]; int32[B,T]; " +
            "float[B,2,S,T];" +
            " float[B,2,P,4]; float[B,2,P,4]) num_heads=2 outputs=3 mask_filter_value=-50f",
    ];

    private static string[] GroupQuery =>
    [
        "com.microsoft.GroupQueryAttention(float[B,S,32]; float[B,S,32]; float[B,S,32]; -; -; i=2,2; i=#3) " +
            "num_heads=2 kv_num_heads=2" +
            " outputs=3",
        "com.microsoft.GroupQueryAttention(float[B,S,64]; float[B,S,32]; float[B,S,32]; -; -; i=2,2; i=#3) " +
            "num_heads=4" +
            " kv_num_heads=2 scale=0.2f outputs=3",
        "com.microsoft.GroupQueryAttention(float[B,S,128]; -; -; -; -; i=2,2; i=#3; float[9,8]; float[9,8]) " +
            "num_heads=4" +
            " kv_num_heads=2 do_rotary=1 outputs=3",
        "com.microsoft.GroupQueryAttention(float[B,S,64]; float[B,S,32]; float[B,S,32]; -; -; i=2,2; i=#3; " +
            "float[9,8]; float[9,8])" +
            " num_heads=4 kv_num_heads=2 do_rotary=1 rotary_interleaved=1 softcap=1.5f outputs=3",
        "com.microsoft.GroupQueryAttention(float[B,S,64]; float[B,S,32]; float[B,S,32]; -; -; i=2,2; i=#3)" +
            " num_heads=4 kv_num_heads=2 local_window_size=2 outputs=3",
        "com.microsoft.GroupQueryAttention(float[B,1,64]; float[B,1,32]; float[B,1,32]; float[B,2,P,16]; " +
            "float[B,2,P,16]; i=4,4; i=#5;" +
            " float[9,8]; float[9,8]) num_heads=4 kv_num_heads=2 do_rotary=1 outputs=3",
    ];

    private static string[] Rotary =>
    [
        "com.microsoft.RotaryEmbedding(float[B,S,16]; int64[B,S]; float[9,4]; float[9,4])",
        "com.microsoft.RotaryEmbedding(float[B,S,16]; int64[1]; float[9,4]; float[9,4]) interleaved=1",
        "com.microsoft.RotaryEmbedding(float[B,2,S,8]; int64[B,S]; float[9,4]; float[9,4])",
        "com.microsoft.RotaryEmbedding(float[B,2,S,8]; int64[1]; float[9,4]; float[9,4]) interleaved=1",
        "com.microsoft.RotaryEmbedding(float[B,S,16]; int64[B,S]; float[9,2]; float[9,2]) num_heads=2 " +
            "rotary_embedding_dim=4",
    ];
}
