using System.CommandLine;
using OrtPeft.Training.Data.Forms;

namespace OrtPeft.Cli.Options;

/// <summary>Own names of fields, of turns' fields and of roles.</summary>
internal sealed class FieldNamesOption : Option<string[]>
{
    public FieldNamesOption()
        : base("--map")
    {
        Description = "Your own field names, such as messages=dialog, role=speaker or user=customer.";
        HelpName = "NAME=OWN,...";
        AllowMultipleArgumentsPerToken = true;
        Validators.Add(static result =>
        {
            foreach (var pair in result.Tokens.SelectMany(static t => t.Value.Split(',')))
            {
                if (pair.Split('=') is not [var name, { Length: > 0 }])
                    result.AddError($"--map has '{pair}'; it must be NAME=OWN.");
                else if (!RowField.All.Contains(name))
                    result.AddError($"--map has '{name}'; it must be one of {string.Join(", ", RowField.All)}.");
            }
        });
    }

    /// <summary>The own names by the name that is read.</summary>
    public IReadOnlyDictionary<string, string> Read(Invocation run)
    {
        var names = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var pair in run.Get(this) ?? [])
        {
            foreach (var part in pair.Split(',').Select(static part => part.Split('=')))
                names[part[0]] = part[1];
        }

        return names;
    }
}
