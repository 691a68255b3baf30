namespace OrtPeft.Tensors;

/// <summary>A setting that is not what it was.</summary>
/// <param name="Name">The setting, such as <c>batch-size</c> or <c>lora_alpha</c>.</param>
/// <param name="Before">Its value before, as text; null where it was not known.</param>
/// <param name="Now">Its value now.</param>
public sealed record SettingDifference(string Name, string? Before, string Now);
