namespace OrtPeft.Adapters;

/// <summary>The form in which a field of a configuration is typed, and the JSON that it stands for.</summary>
public enum OptionForm
{
    /// <summary>Text as it is.</summary>
    Text,

    /// <summary>A whole number.</summary>
    WholeNumber,

    /// <summary>A number.</summary>
    Number,

    /// <summary>Nothing: the option alone is true.</summary>
    Flag,

    /// <summary>JSON where it can be read so, else text.</summary>
    Literal,

    /// <summary>Names with commas, a list; or a pattern, one text.</summary>
    Modules,

    /// <summary><c>name=number</c> with commas, an object.</summary>
    NumbersByName,

    /// <summary>Whole numbers with commas, a list.</summary>
    WholeNumbers,
}
