namespace OrtPeft.Training.Data;

/// <summary>The kind of row that an example was made of.</summary>
public enum RowForm
{
    /// <summary>Token ids, a text, or a prompt and its completion; or it came from memory.</summary>
    Other,

    /// <summary>A conversation, by the model's chat template.</summary>
    Template,

    /// <summary>Messages written as <c>role: content</c>, because there is no template.</summary>
    PlainMessages,
}
