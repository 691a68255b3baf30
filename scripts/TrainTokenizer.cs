// Learns a byte-level BPE vocabulary from the "text" of JSON Lines rows and writes it as GPT-2 tokenizer files:
//
//     dotnet run scripts/TrainTokenizer.cs -- --data FILE --vocab-size N --out DIR
//
// The same rows and size give the same files.
#:project ../src/OrtPeft.Tokenizers/OrtPeft.Tokenizers.csproj
#:property PublishAot=false

using System.Globalization;
using System.Text.Json;
using OrtPeft.Tokenizers.Training;

var options = args.Chunk(2).ToDictionary(static pair => pair[0], static pair => pair[^1]);
if (!options.TryGetValue("--data", out var data) || !options.TryGetValue("--out", out var folder) ||
    !options.TryGetValue("--vocab-size", out var size))
{
    Console.Error.WriteLine("usage: dotnet run scripts/TrainTokenizer.cs -- --data FILE --vocab-size N --out DIR");
    return 2;
}

var texts = File.ReadLines(data).Select(static line => JsonDocument.Parse(line).RootElement.GetProperty("text").GetString()!);
var vocabulary = int.Parse(size, CultureInfo.InvariantCulture);
var tokenizer = BpeTrainer.Train(texts, new BpeTrainerOptions { VocabularySize = vocabulary });
Directory.CreateDirectory(folder);
tokenizer.Save(folder);
Console.WriteLine($"{tokenizer.VocabularySize} tokens, end of text is {tokenizer.EndOfTextId}, in {folder}");
return 0;
