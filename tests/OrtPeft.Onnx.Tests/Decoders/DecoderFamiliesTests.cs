using OrtPeft.Onnx.Decoders;

namespace OrtPeft.Onnx.Tests.Decoders;

public sealed class DecoderFamiliesTests
{
    [Theory]
    [InlineData("transformer.h.3.attn.c_attn", "transformer.h.3.ln_1")]
    [InlineData("transformer.h.3.mlp.c_fc", "transformer.h.3.ln_2")]
    [InlineData("transformer.h.3.attn.q_proj", "transformer.h.3.ln_1")]
    [InlineData("transformer.h.3.mlp.fc_in", "transformer.h.3.ln_1")]
    [InlineData("model.layers.10.self_attn.v_proj", "model.layers.10.input_layernorm")]
    [InlineData("model.layers.10.mlp.up_proj", "model.layers.10.post_attention_layernorm")]
    [InlineData("gpt_neox.layers.0.mlp.dense_h_to_4h", "gpt_neox.layers.0.post_attention_layernorm")]
    [InlineData("transformer.h.3.attn.c_proj", null)]
    [InlineData("model.decoder.layers.0.fc1", null)]
    [InlineData("model.layers.10", null)]
    [InlineData("model.layersself_attn.v_proj", null)]
    [InlineData("lm_head", null)]
    public void NormBefore_OfALinearLayer_IsWhatItReads(string layer, string? norm)
    {
        Assert.Equal(norm, DecoderFamilies.NormBefore(layer));
    }

    [Theory]
    [InlineData("m.transformer.wte", true, false)]
    [InlineData("embed_tokens", true, false)]
    [InlineData("tok_embeddings", true, false)]
    [InlineData("transformer.wpe", false, false)]
    [InlineData("m.lm_head", false, true)]
    [InlineData("embed_out", false, true)]
    [InlineData("decoder.output_projection", false, true)]
    public void Ends_OfADecoder_AreKnownFromAnyRoot(string module, bool isEmbedding, bool isHead)
    {
        Assert.Equal(
            (isEmbedding, isHead), (DecoderFamilies.IsTokenEmbedding(module), DecoderFamilies.IsHead(module)));
    }

    [Fact]
    public void IsPositionEmbedding_OfATableWithMoreRows_IsFalse()
    {
        Assert.True(DecoderFamilies.IsPositionEmbedding("transformer.wpe.weight"));
        Assert.False(DecoderFamilies.IsPositionEmbedding("model.decoder.embed_positions.weight"));
    }
}
