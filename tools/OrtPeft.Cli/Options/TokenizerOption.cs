using System.CommandLine;
using OrtPeft.Cli.Data;
using OrtPeft.Models;
using OrtPeft.Tokenizers;

namespace OrtPeft.Cli.Options;

/// <summary>The folder with the tokenizer; the model's own when left out.</summary>
internal sealed class TokenizerOption : Option<string?>
{
    public TokenizerOption()
        : base("--tokenizer")
    {
        Description = "The folder with the tokenizer's files. [default: the model's folder]";
        HelpName = "DIR";
    }

    /// <summary>Where the tokenizer's files are expected.</summary>
    public string FolderFor(Invocation run, ModelSource source) => run.Get(this) ?? source.Folder;

    /// <summary>The tokenizer, read when it is first used; null when there is none.</summary>
    public ITokenizer? Find(Invocation run, ModelSource source) => Find(run, source.Folder);

    /// <summary>The tokenizer for a model's or an artifact folder; null when there is none.</summary>
    public ITokenizer? Find(Invocation run, string modelFolder)
    {
        if (run.Get(this) is { } folder)
            return TokenizerFolder.Load(folder);
        return TokenizerFolder.Holds(modelFolder) ? new DeferredTokenizer(modelFolder) : null;
    }
}
