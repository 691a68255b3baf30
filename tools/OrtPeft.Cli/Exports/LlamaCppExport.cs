using System.Text.Json.Nodes;
using OrtPeft.Adapters;
using OrtPeft.Adapters.Exports;
using OrtPeft.Adapters.Lora;
using OrtPeft.Artifacts.OrtFormats;
using OrtPeft.Cli.Errors;
using OrtPeft.Cli.Files;
using OrtPeft.Cli.Options;
using OrtPeft.Cli.Reporting;
using OrtPeft.Models;
using OrtPeft.Models.Checkpoints;
using OrtPeft.Models.Exports;
using OrtPeft.Onnx.Passes;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Storage;
using OrtPeft.Tokenizers;
using OrtPeft.Tokenizers.Chat;

namespace OrtPeft.Cli.Exports;

/// <summary>GGUF files, for llama.cpp, Ollama and LLamaSharp.</summary>
internal static class LlamaCppExport
{
    private const string Extension = ".gguf";
    private const string ModelFile = $"model{Extension}";

    /// <summary>The whole model.</summary>
    public static ExportFormat Model { get; } = new(
        "gguf",
        $"{ModelFile} for llama.cpp, Ollama and LLamaSharp, the adapters merged, with tokenizer and chat template. OrtPeft reads "
            + "it again; the command has no llama.cpp",
        static _ => new FolderFiles { Written = [ModelFile], Retired = [ModelFile] },
        WriteModel);

    /// <summary>The adapters alone.</summary>
    public static ExportFormat Lora { get; } = new(
        "gguf-lora",
        "a GGUF file for each adapter, to be loaded beside the model's (llama-cli --lora). OrtPeft reads it again and ONNX "
            + "Runtime adds it to the base; the command has no llama.cpp",
        static job => new FolderFiles
        {
            Written = [.. LoraInputsExport.GroupsOf(job).Select(static g => g.Name + Extension)],
            Retired = [$"*{Extension}"],
        },
        WriteLora);

    private static Exported WriteModel(ExportJob job, string folder)
    {
        var hf = Directory.CreateDirectory(Path.Combine(folder, "hf")).FullName;
        var path = Path.Combine(folder, ModelFile);
        var tokenizer = TokenizerFolder.Holds(job.Source.Folder) ? TokenizerFolder.Load(job.Source.Folder) : null;
        MergedExport.WriteMerged(job, hf, asHf: true);
        try
        {
            var note = GgufExport.Write(hf, path, new GgufOptions
            {
                Type = job.Type,
                Name = Path.GetFileName(Path.TrimEndingDirectorySeparator(job.Source.Folder)),
                ChatTemplate = ChatTemplates.Load(job.Source.Folder)?.Select(hasTools: false).Source,
                BeginOfText = tokenizer?.BeginOfTextId,
                EndOfText = tokenizer?.EndOfTextId,
            });
            if (note is not null)
                job.Run.Warn($"{Path.Combine(job.Source.Folder, "tokenizer.json")}: {note}.");
        }
        catch (Exception e) when (e is ArgumentException or ModelConfigException)
        {
            var said = e.Message.Replace(hf, job.Source.Folder, StringComparison.Ordinal);
            throw new UsageException(e is ArgumentException ? $"{job.Source.Folder}: {said}" : said, e);
        }

        var size = $"{ModelFile}, {Human.Bytes(new FileInfo(path).Length)} in {job.Type}.";
        var proof = job.IsVerified ? ReadAgain(job, hf, path) : new Exported([], []);
        Directory.Delete(hf, recursive: true);
        proof.Facts["type"] = job.Type;
        return proof with { Lines = [size, .. proof.Lines] };
    }

    /// <summary>OrtPeft's own reader takes the file back: its weights are those that were written, rounded as the type says, and
    /// the model of its description computes the same.</summary>
    private static Exported ReadAgain(ExportJob job, string hf, string path)
    {
        const double OfFloat32 = 1e-6;
        var unit = GgufExport.UnitRoundoffOf(job.Type);
        var error = GgufExport.LargestError(hf, path);
        if (!(error <= unit + OfFloat32))
            throw new ResultException(
                $"Read again, the GGUF file's weights differ by {Human.Rate(error)} of the largest, over the {Human.Rate(unit)} of "
                + $"{job.Type}; nothing was written. --no-verify writes it all the same.");
        var (check, ours) = (LogitsProof.Of(job.Run, job.Source), MergedExport.Unmerged(job));
        var read = HfCheckpoint.Open(path);
        var written = HfCheckpoint.Open(hf);
        check.Compare(
            "the GGUF file's description over the weights themselves",
            ours,
            read.Config.ToArchitecture().Build(GgufExport.WrittenOf(written)),
            stored: written.StoredTypes.Values);
        var difference = check.Measure(ours, read.ToModel(asFloat: true)).Largest;
        return new Exported(
            [
                $"Read again, its weights differ by at most {Human.Rate(error)} of a tensor's largest, and its logits from OrtPeft's "
                    + $"by at most {Human.Rate(difference)}.",
            ],
            new JsonObject { ["largest_weight_error"] = error, ["largest_logit_difference"] = difference });
    }

    private static Exported WriteLora(ExportJob job, string folder)
    {
        if (job.Adapters.Count == 0)
            throw new UsageException($"--format {Lora.Name} writes adapters, and none is given; give --adapter NAME=DIR.");
        var peft = AdapterOption.LoadApart(job.Source.Model, job.Adapters, job.Run);
        var inputs = LoraInputs.Of(peft);
        var names = new List<string>();
        var proof = new List<string>();
        var differences = new JsonObject();
        foreach (var (name, members) in LoraInputsExport.GroupsOf(job))
        {
            // llama.cpp takes an alpha of 0 for a scale of 1.
            var alpha = peft.Adapters.ConfigOf(members[0]) is LoraConfig lora ? lora.LoraAlpha : 0;
            var path = Path.Combine(folder, name + Extension);
            GgufExport.WriteLora(job.Source, path, name, alpha, [.. inputs.TensorsOf(members).Select(Widened)]);
            names.Add(name + Extension);
            if (!job.IsVerified)
                continue;
            var difference = LoraReadAgain(job, path, peft, inputs, members);
            differences[name] = difference;
            proof.Add($"{name}{Extension}, read again and added to the base: logits differ from OrtPeft's by at most "
                + $"{Human.Rate(difference)}.");
        }

        return new Exported(
            [
                $"{string.Join(", ", names)}. llama.cpp did not run it: the command has none.",
                .. job.IsVerified ? proof : ["It was not read again (--no-verify)."],
            ],
            new JsonObject
            {
                ["adapters"] = new JsonArray([.. names.Select(static n => (JsonNode)n)]),
                ["verified"] = job.IsVerified ? differences : null,
            });
    }

    /// <summary>OrtPeft's own reader takes A, B and alpha back; ONNX Runtime adds them to the base's layers.</summary>
    private static float LoraReadAgain(
        ExportJob job, string path, PeftModel peft, LoraInputs inputs, string[] members)
    {
        var read = GgufExport.ReadLora(job.Source, path);
        List<Tensor> parameters = [];
        foreach (var pair in inputs.TensorsOf(members).Chunk(2))
        {
            var (a, b) = read.GetValueOrDefault(GgufExport.LayerOf(pair[0]));
            parameters.AddRange([Stored(a, pair[0]), Stored(b, pair[1])]);
        }

        var factors = Path.ChangeExtension(path, OrtAdapterFile.Extension);
        new OrtAdapterFile { Parameters = parameters }.Save(factors);
        try
        {
            peft.Adapters.Set(members);
            var ours = peft.Model.Clone();
            DropoutLowering.ForEvaluation(ours);
            return LogitsProof.Of(job.Run, job.Source).Compare(
                $"{Path.GetFileName(path)} read again",
                ours,
                LoraInputsProof.Exact(inputs.Model),
                factors,
                inputs.IsHalf ? inputs.Model.Graph.Initializers.Select(static v => v.Type) : null);
        }
        finally
        {
            File.Delete(factors);
        }
    }

    /// <summary>The tensor that was read, as the graph's input of what was written takes it.</summary>
    private static Tensor Stored(Tensor? read, Tensor written) => read is not null && read.Dims.SequenceEqual(written.Dims)
        ? Narrowing.ToTensor(read.ToFloat32(), written.Type, written.Dims.AsSpan()).WithName(written.Name)
        : throw new ResultException(
            $"Read again, the GGUF file has not the matrix of {written.Name}; nothing was written. --no-verify writes it all the same.");

    private static Tensor Widened(Tensor tensor) => Tensor.Of<float>(tensor.ToFloat32(), tensor.Dims.AsSpan()).WithName(tensor.Name);
}
