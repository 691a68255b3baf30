using System.CommandLine;

namespace OrtPeft.Cli.Options;

/// <summary>Options that belong together and that several verbs share.</summary>
internal interface IOptionGroup
{
    /// <summary>The options in the order of the help page.</summary>
    IEnumerable<Option> Options { get; }
}
