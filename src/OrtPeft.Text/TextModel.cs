using OrtPeft.Adapters;
using OrtPeft.Inference.Generation;
using OrtPeft.Models;
using OrtPeft.Runtime.Sessions;
using OrtPeft.Tokenizers;
using OrtPeft.Tokenizers.Chat;
using OrtPeft.Training.Data;
using OrtPeft.Training.Data.Chat;

namespace OrtPeft.Text;

/// <summary>
/// A language model, and what its folder says of text: the tokenizer, the chat template, and the limits that rows and
/// prompts must keep.
/// </summary>
public sealed class TextModel
{
    private TextModel(ModelSource source, string tokenizerFolder, Action<string> warn)
    {
        Source = source;
        Tokenizer = TokenizerFolder.Load(tokenizerFolder);
        Templates = new Lazy<ChatTemplates?>(() => ChatTemplates.Load(tokenizerFolder));
        Warn = warn;
    }

    /// <summary>The model, and what its files say of it.</summary>
    public ModelSource Source { get; }

    /// <summary>Its tokenizer.</summary>
    public ITokenizer Tokenizer { get; }

    /// <summary>
    /// How <c>generation_config.json</c> beside the model would have tokens chosen, for those who want it so; greedy
    /// where there is none. Reads the file.
    /// </summary>
    /// <exception cref="ModelConfigException">The file is damaged.</exception>
    public GenerationOptions GenerationDefaults => new GenerationOptions().WithDefaults(Source.Sampling);

    /// <summary>Receives what is left out but should be known.</summary>
    internal Action<string> Warn { get; }

    /// <summary>Its chat templates, read when they are first needed; null in it where the folder has none.</summary>
    internal Lazy<ChatTemplates?> Templates { get; }

    /// <summary>Opens a model that has its tokenizer in the same folder.</summary>
    /// <param name="path">An HF folder, a folder with <c>model.onnx</c>, or an <c>.onnx</c> file.</param>
    /// <param name="warn">Receives one line for each thing that is left out but should be known, of the model and of
    /// rows that are read for it; null (the default) says nothing.</param>
    /// <returns>The model.</returns>
    /// <exception cref="Tensors.OnnxFormatException">There is no model at the path, or it is damaged.</exception>
    /// <exception cref="ModelConfigException">The <c>config.json</c> is damaged.</exception>
    /// <exception cref="TokenizerFormatException">There is no tokenizer beside it, or it is damaged.</exception>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public static TextModel Open(string path, Action<string>? warn = null)
    {
        var source = ModelSource.Open(path, warn);
        return Of(source, source.Folder, warn);
    }

    /// <summary>A model that is open, with the tokenizer and the templates of a folder.</summary>
    internal static TextModel Of(ModelSource source, string tokenizerFolder, Action<string>? warn) =>
        new(source, tokenizerFolder, warn ?? (static _ => { }));

    /// <summary>Puts a new adapter on the model, which itself stays as it is.</summary>
    /// <param name="config">Which method, and how.</param>
    /// <param name="seed">Fixes the initial weights. Default 0.</param>
    /// <returns>The adapted model.</returns>
    /// <exception cref="ConfigException">The configuration does not fit the model.</exception>
    public PeftModel AddAdapter(PeftConfig config, long seed = 0) => PeftModel.Create(Source.Model, config, seed);

    /// <summary>Puts an adapter from disk on the model, which itself stays as it is.</summary>
    /// <param name="folder">Holds <c>adapter_config.json</c> and <c>adapter_model.safetensors</c>.</param>
    /// <returns>The adapted model.</returns>
    /// <exception cref="ConfigException">The adapter does not fit the model.</exception>
    /// <exception cref="Tensors.OnnxFormatException">A file is damaged.</exception>
    public PeftModel LoadAdapter(string folder) => PeftModel.Load(Source.Model, folder);

    /// <summary>
    /// Reads the rows of a JSON Lines file; <see cref="ExampleReader"/> says what rows may be. Conversations go through
    /// the model's chat template; those with nothing to learn are left out, and warned about.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="adapted">What the rows are for; its virtual tokens take positions of the model.</param>
    /// <param name="options">What rows must fit into besides the model's own limits.</param>
    /// <returns>The rows.</returns>
    /// <exception cref="TrainingDataException">The file cannot be read, a row is malformed or does not fit the model,
    /// or there is nothing to learn.</exception>
    /// <exception cref="ArgumentException">The file has no rows, or the adapter leaves no position for
    /// tokens.</exception>
    public TokenDataset ReadRows(string path, PeftModel? adapted = null, ExampleReaderOptions? options = null)
    {
        options ??= new ExampleReaderOptions();
        var reader = new ExampleReader(Tokenizer, options with
        {
            Chat = options.Chat ?? new ChatFormat { Templates = Templates },
            ContextLength = Least(options.ContextLength, PositionsBeside(adapted)),
            VocabularySize = Least(options.VocabularySize, Source.VocabularySize),
            Warn = options.Warn ?? Warn,
        });
        return new TokenDataset(RowStore.Of(
            reader.Read(path).Where(static r => r.Form != RowForm.Template || r.SupervisedTokens > 0)));
    }

    /// <summary>Opens the model for text.</summary>
    /// <param name="adapted">The model with an adapter, whose weights are taken as they are now; null for the model
    /// alone.</param>
    /// <param name="runtime">How to run it; the CPU with all cores when left out.</param>
    /// <returns>The generator; dispose it to free its session.</returns>
    /// <exception cref="Onnx.GraphException">The graph is not a decoder.</exception>
    /// <exception cref="ArgumentException">The adapter leaves no position for tokens.</exception>
    public TextGenerator OpenGenerator(PeftModel? adapted = null, RuntimeOptions? runtime = null) =>
        TextGenerator.Open(this, adapted, runtime);

    /// <summary>The tokens that fit beside an adapter's own; null where the model does not say.</summary>
    internal int? PositionsBeside(PeftModel? adapted)
    {
        var reserved = adapted?.ReservedPositions ?? 0;
        var all = Source.ContextLength;
        return all <= reserved
            ? throw new Tensors.SettingException(
                $"The adapter has {reserved} virtual tokens and the model {all} positions, so none is left for tokens; "
                + "take an adapter with fewer.")
            : all - reserved;
    }

    /// <summary>The model's files and the tokenizer may each name tokens that end a text; where none does, the family's
    /// own counts.</summary>
    internal GenerationOptions WithEnds(GenerationOptions options, int? contextLength) => options with
    {
        EosTokenId = options.EosTokenId ?? Source.EndOfText(Tokenizer.EndOfTextId),
        StopTokenIds = [.. options.StopTokenIds.Union(Source.StopTokenIds)],
        VocabularySize = Least(options.VocabularySize, Tokenizer.VocabularySize),
        ContextLength = Least(options.ContextLength, contextLength),
    };

    /// <summary>The smaller limit; null is none.</summary>
    internal static int? Least(int? one, int? other) => ((int?[])[one, other]).Min();
}
