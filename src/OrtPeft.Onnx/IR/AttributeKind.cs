namespace OrtPeft.Onnx;

/// <summary>The type of an attribute, with the numbers of <c>AttributeProto.AttributeType</c>.</summary>
public enum AttributeKind
{
    /// <summary>Not stated, as in attributes of functions that refer to a caller's attribute.</summary>
    Undefined = 0,

    /// <summary>One float32.</summary>
    Float = 1,

    /// <summary>One int64.</summary>
    Int = 2,

    /// <summary>One UTF-8 string.</summary>
    String = 3,

    /// <summary>A constant tensor.</summary>
    Tensor = 4,

    /// <summary>A subgraph.</summary>
    Graph = 5,

    /// <summary>A list of float32.</summary>
    Floats = 6,

    /// <summary>A list of int64.</summary>
    Ints = 7,

    /// <summary>A list of UTF-8 strings.</summary>
    Strings = 8,

    /// <summary>A list of tensors.</summary>
    Tensors = 9,

    /// <summary>A list of subgraphs.</summary>
    Graphs = 10,

    /// <summary>A sparse tensor, carried along unread.</summary>
    SparseTensor = 11,

    /// <summary>Sparse tensors, carried along unread.</summary>
    SparseTensors = 12,

    /// <summary>A type, carried along unread.</summary>
    TypeProto = 13,

    /// <summary>Types, carried along unread.</summary>
    TypeProtos = 14,
}
