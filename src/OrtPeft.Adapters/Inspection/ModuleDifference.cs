namespace OrtPeft.Adapters.Inspection;

/// <summary>How the changes to a layer's weight differ that two LoRA adapters make.</summary>
/// <param name="Module">The layer's path in the source model.</param>
/// <param name="FirstNorm">The norm of the first one's s·B·A; 0 where it leaves the layer as it is.</param>
/// <param name="SecondNorm">The norm of the second one's.</param>
/// <param name="Relative">The norm of the difference, divided by the larger of both; null where there is NaN.</param>
/// <param name="Cosine">The cosine of the angle between both; null where one is 0.</param>
public sealed record ModuleDifference(string Module, double FirstNorm, double SecondNorm, double? Relative, double? Cosine);
