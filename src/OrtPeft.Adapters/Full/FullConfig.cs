using System.Text.Json.Nodes;
using OrtPeft.Adapters.Configuration;

namespace OrtPeft.Adapters.Full;

/// <summary>
/// Full fine-tuning: every parameter of the base trains; tied weights stay tied. No fields of its own.
/// </summary>
public sealed record FullConfig : PeftConfig
{
    /// <inheritdoc/>
    public override string PeftType => "FULL";

    internal override bool TrainsBase => true;

    /// <summary>Reads the shared fields.</summary>
    /// <param name="fields">The file.</param>
    /// <returns>The configuration.</returns>
    public static FullConfig FromFields(ConfigFields fields) => WithShared(new FullConfig(), fields);

    /// <inheritdoc/>
    protected override void WriteFields(IDictionary<string, JsonNode?> fields)
    {
    }
}
