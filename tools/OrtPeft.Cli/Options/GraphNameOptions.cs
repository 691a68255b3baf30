using System.CommandLine;
using System.Text.Json.Nodes;
using OrtPeft.Cli.Errors;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Decoders;

namespace OrtPeft.Cli.Options;

/// <summary>Options that name a graph's modules, inputs and outputs where the graph does not tell.</summary>
internal sealed class GraphNameOptions : IOptionGroup
{
    private static readonly string[] Roles =
        [DecoderNames.Ids, DecoderNames.Mask, DecoderNames.Positions, DecoderNames.Labels, DecoderNames.Logits];

    private readonly Option<string[]> _modules = new("--name-map")
    {
        Description = "The source model's names of modules that the graph does not tell, such as "
            + $"node_linear_7={DecoderFamilies.Head}; * stands for one part of a name.",
        HelpName = "NAME=OWN,...",
        AllowMultipleArgumentsPerToken = true,
    };

    private readonly Option<string[]> _values = new("--io-map")
    {
        Description = $"The graph's names of {string.Join(", ", Roles)} where they are not found.",
        HelpName = "NAME=OWN,...",
        AllowMultipleArgumentsPerToken = true,
    };

    public GraphNameOptions()
    {
        foreach (var option in (Option<string[]>[])[_modules, _values])
        {
            option.Validators.Add(result =>
            {
                foreach (var pair in result.Tokens.SelectMany(static t => t.Value.Split(',')))
                {
                    if (pair.Split('=') is not [{ Length: > 0 }, { Length: > 0 }])
                        result.AddError($"{option.Name} has '{pair}'; it must be NAME=OWN.");
                }
            });
        }
    }

    public IEnumerable<Option> Options => [_modules, _values];

    /// <summary>Tells a model the names.</summary>
    /// <exception cref="UsageException">A role is unknown, or the graph has no such input or output.</exception>
    public void ApplyTo(Model model, Invocation run)
    {
        var roles = Pairs(run.Get(_values)).ToList();
        foreach (var (role, name) in roles)
        {
            if (!Roles.Contains(role))
                throw new UsageException($"--io-map has '{role}'; it must be one of {string.Join(", ", Roles)}.");
            var values = role == DecoderNames.Logits ? model.Graph.Outputs : model.Graph.Inputs;
            if (values.All(v => v.Name != name))
            {
                throw new UsageException(
                    $"--io-map has '{role}={name}', but the graph has no such "
                    + $"{(role == DecoderNames.Logits ? "output" : "input")}; it has "
                    + $"{string.Join(", ", values.Select(static v => v.Name))}.");
            }
        }

        Set(model, MetadataKeys.ModuleNames, Pairs(run.Get(_modules)));
        Set(model, MetadataKeys.ValueNames, roles);
    }

    /// <summary>Puts names into the metadata; of two for one, the last counts.</summary>
    private static void Set(Model model, string key, IEnumerable<(string Left, string Right)> pairs)
    {
        var names = new JsonObject();
        foreach (var (left, right) in pairs)
            names[left] = right;
        if (names.Count > 0)
            model.Metadata[key] = names.ToJsonString();
    }

    private static IEnumerable<(string Left, string Right)> Pairs(string[]? given) => (given ?? [])
        .SelectMany(static text => text.Split(','))
        .Select(static pair => pair.Split('='))
        .Select(static pair => (pair[0], pair[1]));
}
