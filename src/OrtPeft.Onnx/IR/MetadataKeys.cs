namespace OrtPeft.Onnx;

/// <summary>Keys of <see cref="Model.Metadata"/> that keep what a graph itself does not say of its source.</summary>
internal static class MetadataKeys
{
    /// <summary>The family that the graph was built for, as <c>model_type</c> names it.</summary>
    public const string ModelType = "hf_model_type";

    /// <summary>
    /// <c>true</c> or <c>false</c>: whether the source's output layer is its token embedding. Where it is not, equal
    /// numbers in both are chance; without the key they are taken for one matrix that an exporter stored twice.
    /// </summary>
    public const string TieWordEmbeddings = "tie_word_embeddings";

    /// <summary>
    /// The family that ONNX Runtime GenAI's builder made the graph for, as the <c>type</c> in <c>genai_config.json</c>
    /// names it. Not saved.
    /// </summary>
    public const string BuilderType = "ortpeft.builder_type";

    /// <summary>The name or path by which HF's libraries load the base: its name on a hub, or the folder that it was
    /// imported from.</summary>
    public const string BaseModel = "base_model_name_or_path";

    /// <summary>
    /// Names of modules in the source model that a person gave, as a JSON object from the names in the graph; saved, so
    /// that they are known from then on.
    /// </summary>
    public const string ModuleNames = "ortpeft.module_names";

    /// <summary>
    /// The graph's names of ids, mask, positions and logits that a person gave, as a JSON object from Optimum's names; saved
    /// as <see cref="ModuleNames"/> are.
    /// </summary>
    public const string ValueNames = "ortpeft.value_names";

    /// <summary>The adapters that the weights hold; a model with some is no longer <see cref="BaseModel"/>.</summary>
    public const string MergedAdapters = "ortpeft.merged_adapters";
}
