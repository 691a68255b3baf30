using System.Text.Json;
using System.Text.Json.Nodes;
using OrtPeft.Adapters;
using OrtPeft.Adapters.Merging;
using OrtPeft.Cli.Errors;
using OrtPeft.Cli.Files;
using OrtPeft.Cli.Options;
using OrtPeft.Cli.Reporting;
using OrtPeft.Models;
using OrtPeft.Models.Checkpoints;
using OrtPeft.Models.Exports;
using OrtPeft.Onnx.Passes;
using OrtPeft.Onnx.Serialization;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Safetensors;
using OrtPeft.Tensors.Storage;
using OrtPeft.Tokenizers;
using OrtPeft.Tokenizers.Chat;

namespace OrtPeft.Cli.Exports;

/// <summary>Folders of one model, the adapters merged into it: for GenAI, for Foundry Local, for transformers.</summary>
internal static class MergedExport
{
    private const string InferenceModel = "inference_model.json";
    private const string Content = "{Content}";

    /// <summary>Texts in a model's name by which Foundry Local asks for a device.</summary>
    private static readonly string[] Providers = ["generic-gpu", "cuda-gpu", "openvino-npu", "qnn-npu", "vitis-npu"];

    private static readonly JsonSerializerOptions Indented = new()
    {
        WriteIndented = true,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>ONNX Runtime GenAI's folder.</summary>
    public static ExportFormat GenAi { get; } = new(
        "genai",
        $"a folder that ONNX Runtime GenAI runs, with {GenAiFolder.Config}, the adapters merged, or apart with --beside. GenAI "
            + "runs it where it is among NuGet's packages, else ONNX Runtime runs the same graph",
        job => job.IsBeside
            ? With(LoraInputsExport.Files(job), GenAiFolder.Config)
            : With(FolderFiles.OfModel(job.Source.Folder, GenAiFolder.FilesIn(job.Source.Folder)), GenAiFolder.Config),
        WriteGenAi);

    /// <summary>Foundry Local's folder.</summary>
    public static ExportFormat Foundry { get; } = new(
        "foundry-local",
        $"the same with {InferenceModel}, for a folder of its own in Foundry Local's cache; it takes merged models alone",
        static job => With(GenAi.Files(job), InferenceModel),
        WriteFoundry);

    /// <summary>An HF folder.</summary>
    public static ExportFormat Hf { get; } = new(
        "hf",
        $"an HF folder ({SafetensorsCheckpoint.FileName} and {ModelFamilies.ConfigFileName}), the adapters merged",
        static job => FolderFiles.OfNewModel with
        {
            Written = [SafetensorsCheckpoint.FileName, ModelSource.ModelFileName, ModelFolder.DataFileName, .. HfCheckpoint.CompanionsIn(job.Source.Folder)],
        },
        WriteHf);

    private static FolderFiles With(FolderFiles files, string name) =>
        files.Written.Contains(name) ? files : files with { Written = [.. files.Written, name] };

    private static Exported WriteGenAi(ExportJob job, string folder)
    {
        var exported = job.IsBeside ? LoraInputsExport.Write(job, folder) : WriteMerged(job, folder, asHf: false);
        Describe(job, folder);
        if (job.IsBeside)
            GenAiFolder.Quieten(folder);
        return job.IsVerified ? exported with { Lines = [.. exported.Lines, .. Proved(job, folder)] } : exported;
    }

    private static List<string> Proved(ExportJob job, string folder)
    {
        var graph = OnnxFile.Load(Path.Combine(folder, ModelSource.ModelFileName)).Graph;
        var isExact = job.Form != MergeForm.Requantized && AccuracyNote.CountIn(graph) == 0
            && !graph.Initializers.Any(static v => v.Type.IsHalf());
        if (!job.IsBeside)
            return [GenAiProof.Of(job, folder, Unmerged(job), null, isExact)];
        var peft = AdapterOption.LoadApart(job.Source.Model, job.Adapters, job.Run);
        var said = new List<string>();
        foreach (var group in LoraInputsExport.GroupsOf(job))
        {
            peft.Adapters.Set(group.Members);
            var model = peft.Model.Clone();
            DropoutLowering.ForEvaluation(model);
            said.Add(GenAiProof.Of(job, folder, model, Path.Combine(folder, LoraInputsExport.FileOf(group.Name)), isExact));
        }

        return said;
    }

    private static Exported WriteFoundry(ExportJob job, string folder)
    {
        if (job.IsBeside)
            throw new UsageException("Foundry Local has no adapters; leave --beside out, or export for genai.");
        var name = job.Name ?? throw new UsageException("--format foundry-local gives the model a name; give --name NAME.");
        if (Providers.FirstOrDefault(p => name.Contains(p, StringComparison.OrdinalIgnoreCase)) is { } provider)
            throw new UsageException($"--name {name} has '{provider}' in it, by which Foundry Local asks for that device; give another name.");
        var exported = WriteGenAi(job, folder);
        var json = new JsonObject
        {
            ["Name"] = name.Contains(':', StringComparison.Ordinal) ? name : $"{name}:1",
            ["PromptTemplate"] = PromptTemplate(job.Source.Folder),
        };
        AtomicFile.Write(Path.Combine(folder, InferenceModel), json.ToJsonString(Indented));
        return exported with { Lines = [.. exported.Lines, $"Foundry Local shows it as {json["Name"]} when the folder lies in its cache."] };
    }

    private static Exported WriteHf(ExportJob job, string folder)
    {
        var exported = WriteMerged(job, folder, asHf: true);
        File.Delete(Path.Combine(folder, ModelSource.ModelFileName));
        File.Delete(Path.Combine(folder, ModelFolder.DataFileName));
        if (!job.IsVerified)
            return exported;
        var written = ModelSource.Open(folder, job.Run.Note);
        var ours = Unmerged(job);
        var difference = LogitsProof.Of(job.Run, job.Source).Compare("the HF folder read again", ours, written.Model, stored: written.StoredTypes.Values);
        return exported with { Lines = [.. exported.Lines, $"Read again, its logits differ by at most {Human.Rate(difference)}."] };
    }

    /// <summary>Writes the base, or the base with its adapters merged.</summary>
    /// <param name="job">What is exported.</param>
    /// <param name="folder">Receives the files.</param>
    /// <param name="asHf">Whether it must be an HF folder too, which it is not otherwise.</param>
    public static Exported WriteMerged(ExportJob job, string folder, bool asHf)
    {
        var (run, source) = (job.Run, job.Source);
        if (Adapted(job) is { } peft)
        {
            var merged = MergedModel.Write(run, source, peft, job.Form, folder);
            if (asHf && merged.HfType is null)
                throw NotHf(source);
            if (!asHf)
                File.Delete(Path.Combine(folder, SafetensorsCheckpoint.FileName));
            var facts = new JsonObject();
            merged.AddTo(facts);
            var kept = asHf ? "merged weights as HF has them, " : "";
            return new Exported([kept + (merged with { HfType = null }).Describe()], facts);
        }

        var modelFile = Path.Combine(folder, ModelSource.ModelFileName);
        var bytes = source.Model.Graph.Initializers.Sum(static v => v.Initializer!.Data.Length);
        var model = source.Model.Clone();
        DecoderNaming.Restore(model);
        WritingReport.Follow(run, folder, bytes, () => OnnxFile.Save(model, modelFile, new OnnxSaveOptions { ExternalData = true }));
        HfCheckpoint.CopyCompanions(source.Folder, folder);
        GenAiFolder.Copy(source, folder);
        if (asHf && HfExport.TryWrite(source, source.Model, folder) is null)
            throw NotHf(source);
        return new Exported([$"{Human.Bytes(bytes)} of weights, no adapter."], new JsonObject { ["weight_bytes"] = bytes });
    }

    private static UsageException NotHf(ModelSource source) => new(
        source.ModelPath is null && source.Model.Graph.Nodes.Any(static n => n.Is("DequantizeLinear"))
        ? $"{source.Folder} holds its weights in few bits, which a merged folder of HF's does not; make numbers of them first, "
            + $"'ortpeft import {source.Folder} --out FOLDER --float', and export that with the same adapters."
        : $"{source.Folder} is not the graph that an HF folder makes here, so its weights have no names of HF's; export an HF folder, "
        + "or what 'ortpeft import' made of one.");

    /// <summary>The base with all adapters active; null where there are none.</summary>
    public static PeftModel? Adapted(ExportJob job) =>
        job.Adapters.Count == 0 ? null : AdapterOption.Load(job.Source.Model, job.Adapters, job.Run);

    /// <summary>OrtPeft's own model: the adapters beside the base.</summary>
    public static Onnx.Model Unmerged(ExportJob job)
    {
        if (Adapted(job) is not { } peft)
            return job.Source.Model;
        var model = peft.Model.Clone();
        DropoutLowering.ForEvaluation(model);
        return model;
    }

    /// <summary>Writes GenAI's description where the base has none that is still right.</summary>
    private static void Describe(ExportJob job, string folder)
    {
        var path = Path.Combine(folder, GenAiFolder.Config);
        if (File.Exists(path))
            return;
        var end = TokenizerFolder.Holds(job.Source.Folder) ? TokenizerFolder.Load(job.Source.Folder).EndOfTextId : null;
        var model = OnnxFile.Load(Path.Combine(folder, ModelSource.ModelFileName));
        AtomicFile.Write(path, GenAiDescription.Of(job.Source, model, end));
        if (!File.Exists(Path.Combine(folder, "tokenizer.json")))
            job.Run.Warn($"{job.Source.Folder} has no tokenizer.json, without which GenAI takes token ids alone.");
    }

    /// <summary>One user's turn as the chat template has it; null without a template.</summary>
    private static JsonObject? PromptTemplate(string folder)
    {
        if (ChatTemplates.Load(folder) is not { } templates)
            return null;
        var prompt = Rendered($$"""[{"role":"user","content":"{{Content}}"}]""");
        var json = new JsonObject { ["prompt"] = prompt, ["assistant"] = Content };
        var whole = TryRendered($$"""[{"role":"system","content":"{{Content}}"},{"role":"user","content":"{{Content}}"}]""");
        if (whole is not null && whole.EndsWith(prompt, StringComparison.Ordinal) && whole.Length > prompt.Length)
            json["system"] = whole[..^prompt.Length];
        return json;

        string Rendered(string messages)
        {
            using var document = JsonDocument.Parse(messages);
            return templates.Select(hasTools: false)
                .Render(new ChatConversation { Messages = document.RootElement }, ChatEnding.GenerationPrompt).Text;
        }

        string? TryRendered(string messages)
        {
            try
            {
                return Rendered(messages);
            }
            catch (ChatTemplateException)
            {
                return null; // a template that knows no system turn
            }
        }
    }
}
