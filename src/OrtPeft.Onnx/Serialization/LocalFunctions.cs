using Google.Protobuf;
using OrtPeft.Onnx.Passes;
using OrtPeft.Onnx.Serialization.Proto;
using OrtPeft.Tensors;

namespace OrtPeft.Onnx.Serialization;

/// <summary>
/// A file's model-local functions. What they compute is put in the place of the nodes that call them, so that layers
/// inside are layers like others; values get the calling node's name in front.
/// </summary>
internal sealed class LocalFunctions
{
    /// <summary>Nodes of all calls together: a hundred times as many as the largest decoders have.</summary>
    private const int MostNodes = 1_000_000;

    /// <summary>How many calls may stand inside each other; exporters nest as deep as a model's modules.</summary>
    private const int Deepest = 100;

    private readonly string _path;
    private readonly ModelProto _model;
    private readonly Dictionary<string, FunctionProto> _functions = new(StringComparer.Ordinal);
    private readonly HashSet<string> _names = new(StringComparer.Ordinal);
    private int _inlined;

    private LocalFunctions(string path, ModelProto model)
    {
        (_path, _model) = (path, model);
        foreach (var function in model.Functions.Select(Parse))
            _functions[NameOf(function.Domain, function.Name, function.Overload)] = function;
    }

    /// <summary>Inlines a model's functions; where no node calls one, the model stays as it is.</summary>
    /// <exception cref="OnnxFormatException">Functions call each other in a circle or too deep, are damaged, make too
    /// many nodes, or are written for an operator set in which operators have another form than in the model's.</exception>
    public static void Inline(string path, ModelProto model)
    {
        if (model.Functions.Count == 0)
            return;
        var functions = new LocalFunctions(path, model);
        functions.RefuseCirclesAndDepth();
        if (!NodeWalk.Of(model.Graph.Node).Any(n => functions.Of(n) is not null))
            return;
        functions.UnifyOperatorSets();
        functions.Inline(model.Graph);
        model.Functions.Clear();
    }

    private static string NameOf(string domain, string name, string overload) =>
        overload.Length == 0 ? $"{domain}.{name}" : $"{domain}.{name}:{overload}";

    private static string NameOf(NodeProto node) => NameOf(node.Domain, node.OpType, node.Overload);

    private FunctionProto? Of(NodeProto node) => _functions.GetValueOrDefault(NameOf(node));

    private FunctionProto Parse(ByteString bytes)
    {
        try
        {
            return FunctionProto.Parser.ParseFrom(bytes);
        }
        catch (InvalidProtocolBufferException e)
        {
            throw new OnnxFormatException($"{_path}: a model-local function is damaged: {e.Message}", e);
        }
    }

    private void RefuseCirclesAndDepth()
    {
        var callees = _functions.ToDictionary(
            static f => f.Key,
            static f => NodeWalk.Of(f.Value.Node).Select(NameOf).Distinct().ToArray(),
            StringComparer.Ordinal);
        for (var depth = 1; callees.Count > 0; depth++)
        {
            if (depth > Deepest)
            {
                throw new OnnxFormatException(
                    $"{_path}: its model-local functions call each other more than {Deepest} deep; export the model with its "
                    + "functions inlined.");
            }

            var leaves = callees.Where(f => !f.Value.Any(callees.ContainsKey)).Select(static f => f.Key).ToArray();
            if (leaves.Length == 0)
            {
                throw new OnnxFormatException(
                    $"{_path}: the model-local functions {string.Join(", ", callees.Keys.Order(StringComparer.Ordinal))} "
                    + "call each other in a circle, or depend on such; export the model with its functions inlined.");
            }

            foreach (var leaf in leaves)
                callees.Remove(leaf);
        }
    }

    private void Inline(GraphProto graph)
    {
        _names.UnionWith(graph.Input.Select(static i => i.Name));
        _names.UnionWith(graph.Initializer.Select(static i => i.Name));
        _names.UnionWith(NodeWalk.Of(graph.Node).SelectMany(static n => n.Output.Append(n.Name)));
        InlineCalls(graph);
    }

    private void InlineCalls(GraphProto graph)
    {
        NodeProto[] nodes = [.. graph.Node.SelectMany(Expanded)];
        graph.Node.Clear();
        graph.Node.AddRange(nodes);
    }

    private IEnumerable<NodeProto> Expanded(NodeProto node)
    {
        if (Of(node) is { } function)
            return Body(node, function);
        foreach (var inner in NodeWalk.GraphsOf(node))
            InlineCalls(inner);
        return [node];
    }

    private IEnumerable<NodeProto> Body(NodeProto call, FunctionProto function)
    {
        var names = new Dictionary<string, string>(StringComparer.Ordinal);
        for (var i = 0; i < function.Input.Count; i++)
            names[function.Input[i]] = i < call.Input.Count ? call.Input[i] : "";
        var handedOn = new List<NodeProto>();
        for (var i = 0; i < function.Output.Count; i++)
        {
            var result = i < call.Output.Count ? call.Output[i] : "";
            if (result.Length == 0 || names.TryAdd(function.Output[i], result))
                continue;
            var input = names[function.Output[i]];
            handedOn.Add(new NodeProto { OpType = "Identity", Input = { input }, Output = { result } });
        }

        var label = call.Name.Length > 0 ? call.Name : call.Output.FirstOrDefault() ?? function.Name;
        foreach (var node in function.Node)
        {
            if (++_inlined > MostNodes)
                throw new OnnxFormatException($"{_path}: its model-local functions make more than {MostNodes} nodes.");
            var copy = node.Clone();
            Fill(copy, call, function);
            Rename(copy, names, label);
            foreach (var inner in Expanded(copy))
                yield return inner;
        }

        foreach (var node in handedOn)
            yield return node;
    }

    /// <summary>Gives attributes that refer to the call's their values; those that the call leaves out, too, go.</summary>
    private static void Fill(NodeProto node, NodeProto call, FunctionProto function)
    {
        for (var i = node.Attribute.Count - 1; i >= 0; i--)
        {
            var (name, reference) = (node.Attribute[i].Name, node.Attribute[i].RefAttrName);
            if (reference.Length == 0)
                continue;
            var value = call.Attribute.Concat(function.AttributeProto).FirstOrDefault(a => a.Name == reference)?.Clone();
            node.Attribute.RemoveAt(i);
            if (value is null)
                continue;
            value.Name = name;
            node.Attribute.Insert(i, value);
        }

        foreach (var inner in NodeWalk.GraphsOf(node).SelectMany(static g => g.Node))
            Fill(inner, call, function);
    }

    private void Rename(NodeProto node, Dictionary<string, string> names, string label)
    {
        node.Name = node.Name.Length > 0 ? Fresh($"{label}/{node.Name}") : "";
        for (var i = 0; i < node.Input.Count; i++)
            node.Input[i] = Renamed(node.Input[i], names, label);
        for (var i = 0; i < node.Output.Count; i++)
            node.Output[i] = Renamed(node.Output[i], names, label);
        foreach (var graph in NodeWalk.GraphsOf(node))
        {
            foreach (var input in graph.Input)
                input.Name = Renamed(input.Name, names, label);
            foreach (var constant in graph.Initializer)
                constant.Name = Renamed(constant.Name, names, label);
            foreach (var inner in graph.Node)
                Rename(inner, names, label);
            foreach (var value in graph.Output.Concat(graph.ValueInfo))
                value.Name = Renamed(value.Name, names, label);
        }
    }

    private string Renamed(string name, Dictionary<string, string> names, string label)
    {
        if (name.Length == 0)
            return "";
        if (!names.TryGetValue(name, out var renamed))
            names.Add(name, renamed = Fresh($"{label}/{name}"));
        return renamed;
    }

    private string Fresh(string name)
    {
        var fresh = name;
        for (var i = 1; !_names.Add(fresh); i++)
            fresh = $"{name}_{i}";
        return fresh;
    }

    /// <summary>The version of the standard operators that all nodes have the form of, wherever they stand.</summary>
    private void UnifyOperatorSets()
    {
        var called = Called(_model.Graph.Node);
        foreach (var import in called.SelectMany(static f => f.OpsetImport))
        {
            if (Import(_model.OpsetImport, import.Domain) is null)
                _model.OpsetImport.Add(import.Clone());
        }

        if (Import(_model.OpsetImport, "") is not { } ofModel)
            return;
        var newest = called.Select(VersionOf).Append(ofModel.Version).Max();
        Require(_model.Graph.Node, ofModel.Version, newest, "the graph");
        foreach (var function in called)
        {
            var name = NameOf(function.Domain, function.Name, function.Overload);
            Require(function.Node, VersionOf(function), newest, $"the model-local function {name}");
        }

        ofModel.Version = newest;
    }

    private static OperatorSetIdProto? Import(IEnumerable<OperatorSetIdProto> imports, string domain) =>
        imports.FirstOrDefault(i => Standard(i.Domain) == Standard(domain));

    private static string Standard(string domain) => domain == "ai.onnx" ? "" : domain;

    private long VersionOf(FunctionProto function) =>
        (Import(function.OpsetImport, "") ?? Import(_model.OpsetImport, ""))?.Version ?? 0;

    private HashSet<FunctionProto> Called(IEnumerable<NodeProto> nodes)
    {
        var seen = new HashSet<FunctionProto>(ReferenceEqualityComparer.Instance);
        var waiting = new Stack<IEnumerable<NodeProto>>([nodes]);
        while (waiting.TryPop(out var next))
        {
            foreach (var function in NodeWalk.Of(next).Select(Of).OfType<FunctionProto>().Where(seen.Add))
                waiting.Push(function.Node);
        }

        return seen;
    }

    private void Require(IEnumerable<NodeProto> nodes, long version, long newest, string what)
    {
        var changed = version == newest ? null : NodeWalk.Of(nodes).FirstOrDefault(
            n => Standard(n.Domain).Length == 0 && !OpsetUpgrade.KeepsForm(n.OpType, version, newest));
        if (changed is not null)
        {
            throw new OnnxFormatException(
                $"{_path}: {what} is written for opset {version}, other parts of the model for {newest}, and "
                + $"{changed.OpType} changed between them; export the model with its functions inlined.");
        }
    }
}
