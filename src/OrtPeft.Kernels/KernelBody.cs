using OrtPeft.Kernels.Native;

namespace OrtPeft.Kernels;

/// <summary>Does an operator's work: reads the inputs, whose axes the signature has checked, and makes the outputs.
/// </summary>
internal delegate void KernelBody(KernelCall call);
