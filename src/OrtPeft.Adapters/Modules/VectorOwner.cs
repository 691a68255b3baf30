namespace OrtPeft.Adapters.Modules;

/// <summary>Whose parameter a vector is at one place.</summary>
/// <param name="Anchor">The weight beside it. Layers that share a weight are one layer applied twice, and share their
/// vectors by design.</param>
/// <param name="Role">What it is to the owner.</param>
internal readonly record struct VectorOwner(object Anchor, string Role);
