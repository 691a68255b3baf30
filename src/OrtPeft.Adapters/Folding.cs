using OrtPeft.Onnx;
using OrtPeft.Tensors;

namespace OrtPeft.Adapters;

/// <summary>Puts trained weights into a base, in the places where an adapter was injected.</summary>
/// <param name="copyOfBase">The graph of a copy of the base, without the adapter; edited in place.</param>
/// <param name="weights">The trained weights and the buffers by parameter name.</param>
/// <exception cref="ConfigException">The copy lacks a place, or the weights cannot be folded in; the message says
/// why.</exception>
public delegate void Folding(Graph copyOfBase, IReadOnlyDictionary<string, Tensor> weights);
