namespace OrtPeft.Onnx;

/// <summary>Keys of <see cref="Model.Metadata"/> that keep what a graph itself does not say of its source.</summary>
public static class MetadataKeys
{
    /// <summary>The family that the graph was built for, as <c>model_type</c> names it.</summary>
    public const string ModelType = "hf_model_type";

    /// <summary>
    /// <c>true</c> or <c>false</c>: whether the source's output layer is its token embedding. Where it is not, equal
    /// numbers in both are chance; without the key they are taken for one matrix that an exporter stored twice.
    /// </summary>
    public const string TieWordEmbeddings = "tie_word_embeddings";
}
