using System.CommandLine;
using System.Globalization;
using OrtPeft.Adapters;
using OrtPeft.Artifacts;
using OrtPeft.Cli.Artifacts;
using OrtPeft.Cli.Config;
using OrtPeft.Cli.Data;
using OrtPeft.Cli.Errors;
using OrtPeft.Cli.Files;
using OrtPeft.Cli.Options;
using OrtPeft.Cli.Reporting;
using OrtPeft.Cli.Runs;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Storage;
using OrtPeft.Training;
using OrtPeft.Training.Data;
using OrtPeft.Training.Distributed;
using OrtPeft.Training.Reports;

namespace OrtPeft.Cli.Commands;

/// <summary>Trains an adapter.</summary>
internal sealed class TrainCommand : Verb
{
    private readonly ModelArgument _model = new();
    private readonly DataOptions _data = new();
    private readonly OutputOptions _output = new("the adapter, metrics.jsonl and the checkpoint");
    private readonly MethodOptions _method = new();
    private readonly TrainingOptions _training = new();

    private readonly Option<string?> _baseId = new("--base-id")
    {
        Description = "What others load the base by, for adapter_config.json and the model card: its name on the Hugging "
            + "Face Hub. [default: what the model's folder notes]",
        HelpName = "NAME",
    };

    private readonly Option<int?> _keepTop = NumberOption.Optional<int>(
        TopAdapters.Option,
        $"Keep the adapters of the N best evaluations too, each in a folder of --out/{TopAdapters.Folder}.",
        "N");

    private readonly Option<string?> _tensorBoard = new(EventFolder.Option)
    {
        Description = "Write events for TensorBoard to this folder too, into one of the name of --out in it.",
        HelpName = "DIR",
    };

    private readonly Option<bool> _dryRun = new("--dry-run")
    {
        Description =
            "Look at the rows as ortpeft data does and build everything, but train nothing and write nothing.",
    };

    [System.Diagnostics.CodeAnalysis.SetsRequiredMembers]
    public TrainCommand(Host host)
        : base(host, "train", "Train an adapter. The base model is not modified.")
    {
        Examples =
        [
            "ortpeft train gpt2-onnx --data train.jsonl --out adapter",
            "ortpeft train gpt2-onnx --data train.jsonl --out adapter --dry-run",
            "ortpeft train gpt2-onnx --data a.jsonl b.jsonl --eval-data held-out.jsonl --out adapter "
                + "--rank 16 --target c_attn,c_proj --epochs 2 --batch-size 4 --grad-accum 4 --lr 1e-3",
            "mpirun -n 4 ortpeft train gpt2-onnx --data train.jsonl --out adapter",
            "ortpeft train gpt2-onnx --data train.jsonl --out adapter --resume",
            "ortpeft train gpt2-lora-artifacts --data train.jsonl --out adapter",
            "ortpeft train --config run.yaml --lr 5e-4 --out second",
        ];
        Notes =
            "Ctrl-C finishes the current step, saves, and exits with 130; --resume continues bit-for-bit.\n"
            + "The checkpoint stays in --out after the run; delete checkpoint.safetensors to save space.\n"
            + "A folder written by `ortpeft artifacts` can be trained as it is; it fixes the method and AdamW's "
            + "constants.\n"
            + "HF's names of options work too (--learning-rate, --lora-r, …), and @FILE reads options from a file.\n"
            + "A run leaves run.yaml in --out, from which --config repeats it.\n"
            + "Under mpirun or srun, N processes are one run: each takes --batch-size rows of a batch N times as large.";
        Config = new(RunFile.Option)
        {
            Description = "Read the run from a YAML or JSON file whose keys are the names of options; those given here win.",
            HelpName = "FILE",
        };
        Options.Add(Config);
        Options.Add(new Option<bool>(StartingFile.Option)
        {
            Description = "Print a commented file to start --config from.",
            Action = new StartingFile(),
        });
        Options.Add(new Option<bool>(RunSchema.Option)
        {
            Description = "Print a JSON Schema of --config's file, for editors.",
            Action = new RunSchema(),
        });
        Arguments.Add(_model);
        Add(_data);
        Add(_output);
        Options.Add(_baseId);
        Options.Add(_keepTop);
        Options.Add(_tensorBoard);
        Options.Add(_dryRun);
        Add(_method);
        Add(_training);
    }

    protected override void Run(Invocation run) => Together.Run(processes =>
    {
        if (MpiLaunch.TasksApart is { } tasks)
        {
            run.Warn($"srun started {tasks} tasks that know nothing of each other, so each trains by itself; for one run give "
                + "srun --mpi=pmix or --mpi=pmi2.");
        }

        if (processes.IsFirst)
            Run(run, processes);
        else
            RunBeside(run.Muted(), processes);
    });

    /// <summary>Trains without a voice and without files, as the first process does.</summary>
    private void RunBeside(Invocation run, ProcessGroup processes)
    {
        if (run.Get(_dryRun))
            return;
        using var training = Open(run, Read(run, processes));
        run.Host.Interruption.Listen();
        training.Train(new Progress<TrainingProgress>(), new Progress<TrainingActivity>(), run.Host.Interruption.Token);
    }

    private TrainingArguments Read(Invocation run, ProcessGroup processes)
    {
        var arguments = _training.Read(run, _data.BatchSize(run), _output.PathOf(run)) with { Processes = processes };
        return arguments.Runtime.Threads > 0 || processes.Threads == 0
            ? arguments
            : arguments with { Runtime = arguments.Runtime with { Threads = processes.Threads } };
    }

    private TrainingRun Open(Invocation run, TrainingArguments arguments) =>
        File.Exists(Path.Combine(run.Get(_model), ArtifactManifest.FileName))
            ? OpenArtifacts(run, arguments)
            : OpenModel(run, arguments);

    private void Run(Invocation run, ProcessGroup processes)
    {
        using var folder = OpenFolder(run);
        var arguments = Read(run, processes);
        if (processes.Size > 1)
            run.Say($"processes: {processes.Size}, each with {Human.Count(arguments.BatchSize, "row")} of a batch");
        var configuration = RunFileText.Of(this, run.Parsed);
        using var events = EventFolder.Open(
            run, run.Get(_tensorBoard), folder.FullPath, arguments.Resume, _output.MayOverwrite(run), configuration);
        if (run.Has(_keepTop) && !_training.Evaluates(run))
            throw new UsageException($"{TopAdapters.Option} needs rows to evaluate on; give --eval-data or --val-split too.");
        var top = TopAdapters.Open(folder.FullPath, run.Get(_keepTop), arguments.Resume, _output.MayOverwrite(run));
        using var training = Open(run, arguments);
        TrainingWords.Describe(run, training);
        if (run.Get(_dryRun))
        {
            TrainingWords.ConcludeDryRun(run, training);
            return;
        }

        TrainingWords.AnswerInterruptions(run, folder.FullPath);
        var facts = TrainingFacts.Of(run, training, run.Get(_model));
        var page = new RunPageFile(run, folder.FullPath, facts, configuration);
        if (!training.Arguments.Resume)
            page.Begin();
        var result = Train(run, training, page, events, top);
        training.Trainer.SaveAdapter(folder.Stage);
        File.WriteAllText(Path.Combine(folder.Stage, RunFile.FileName), configuration);
        if (CardFile.MayReplace(folder.FullPath))
            CardFile.Write(folder, _data.Files(run), training, result, facts);
        else
            run.Note($"{Path.Combine(_output.PathOf(run), ModelCard.FileName)} is not ortpeft's, so it stays as it is.");
        folder.Keep();
        page.Write();
        TrainingWords.Conclude(run, training, result, _output.PathOf(run));
        if (top?.Line(_output.PathOf(run), training.Metric) is { } line)
            run.Say(line);
    }

    /// <summary>Trains; a run that fails leaves a page too, which shows how.</summary>
    private TrainingResult Train(Invocation run, TrainingRun training, RunPageFile page, EventFolder? events, TopAdapters? top)
    {
        var isFirst = true;
        try
        {
            return TrainingReport.Follow(
                run, (progress, activity) => training.Train(progress, activity, run.Host.Interruption.Token), See);
        }
        catch (TrainingFailedException)
        {
            page.Write();
            throw;
        }
        catch (SettingException e) when (ResumeErrors.Of(run, e, _output.PathOf(run)) is { } named)
        {
            throw named;
        }

        void See(TrainingProgress progress)
        {
            if (isFirst && training.Trainer.ExtendedFrom is { } before)
            {
                run.Say($"The run of {Human.Count(before, "step")} is extended to {Human.Count(progress.TotalSteps)}: its rate "
                    + $"follows the {training.Arguments.Schedule} schedule of the longer run from here on.");
            }

            isFirst = false;
            top?.See(progress, training);
            events?.See(progress);
            page.See(progress);
        }
    }

    private TrainingRun OpenModel(Invocation run, TrainingArguments arguments)
    {
        var choice = _method.Choose(run);
        var source = _model.Open(run);
        var modelName = run.Get(_model);
        var nodes = Human.Count(source.Model.Graph.Nodes.Count, "node");
        run.Say($"model: {modelName}, {nodes}, opset {source.Model.Opset}");
        AccuracyNote.Warn(run, source);
        var tokenizer = _data.Tokenizer;
        var tokenized = choice.For(source, run.Get(_baseId))
            .WithTokens(tokenizer.Find(run, source), tokenizer.FolderFor(run, source));
        var peft = tokenized.Apply(
            source.Model, arguments, () => _data.Read(run, source, reserved: 0), run.Host.Interruption.Token);
        run.Say(AdapterFacts.Line(peft));
        run.Say(peft.DescribeTrainableParameters());
        ExcessRank.Warn(run, peft);
        _training.Speed.Warn(run, peft.Model);
        Look(run, () => _data.Preview(run, source, peft.ReservedPositions));
        var (rows, heldOut) = Rows(run, files => _data.Weigh(run, source, peft.ReservedPositions, files));
        arguments = Packed(run, arguments, rows, ModelLimits.ContextLength(source, peft.ReservedPositions));
        var exam = TrainingExam.Of(
            run,
            _training.Examination,
            peft,
            source,
            tokenizer.Find(run, source),
            _data.Templates(run, source.Folder),
            heldOut ?? [],
            rows,
            arguments.Seed);
        var trainer = run.Busy(
            "building the training graph",
            () => new Trainer(peft, arguments, new TokenDataset(rows), DatasetOf(heldOut)));
        LoraOfBase.Warn(run, peft);
        NamelessModules.Warn(run, peft); // of a model that trains: a refusal is one line
        return new TrainingRun
        {
            Job = TrainingJob.Of(peft),
            Rows = rows,
            HeldOut = heldOut,
            Arguments = arguments,
            Trainer = trainer,
            Config = peft.Config.ToJson(),
            Peft = peft,
            Exam = exam,
        };
    }

    /// <summary>The method is part of the folder, so no option may speak of it.</summary>
    private TrainingRun OpenArtifacts(Invocation run, TrainingArguments arguments)
    {
        var path = run.Get(_model);
        if (_method.Options.FirstOrDefault(run.Has) is { } option)
        {
            throw new UsageException(
                $"{path} holds artifacts, whose method is decided; leave out {option.Name}, or give it to ortpeft "
                + "artifacts.");
        }

        _training.Examination.RefuseForArtifacts(run, path);
        if (run.Has(_baseId))
            throw new UsageException($"{path} holds artifacts, which name their base already; leave out {_baseId.Name}.");
        _training.Speed.RefuseForArtifacts(run, path);
        if (FileState.IsSame(_output.PathOf(run), path))
            throw new UsageException($"--out {path} is the artifacts' own folder, which stays; give another folder.");
        var manifest = ArtifactManifest.Load(path);
        var job = TrainingJob.Of(manifest);
        var trainable = Human.Count(job.Trainable, "trainable parameter");
        run.Say($"artifacts: {path}, {job.Method}, runtime {manifest.Runtime}, {trainable}");
        Look(run, () => _data.Preview(run, path, manifest));
        var (rows, heldOut) = Rows(run, files => _data.Weigh(run, path, manifest, files));
        arguments = Packed(run, arguments, rows, manifest.Base.ContextLength - manifest.ReservedPositions);
        return new TrainingRun
        {
            Job = job,
            Rows = rows,
            HeldOut = heldOut,
            Arguments = arguments,
            Trainer = run.Busy(
                "opening the training graph",
                () => Trainer.FromArtifacts(path, arguments, new TokenDataset(rows), DatasetOf(heldOut))),
            Config = manifest.PeftConfig,
        };
    }

    private static TokenDataset? DatasetOf(IReadOnlyList<Example>? rows) => rows is null ? null : new TokenDataset(rows);

    /// <summary>The rows to train on, and those to evaluate on; null where there are none.</summary>
    private (IReadOnlyList<Example> Train, IReadOnlyList<Example>? HeldOut) Rows(
        Invocation run, Func<IEnumerable<string>?, WeighedRows> read)
    {
        var rows = read(null);
        if (_training.ValidationSplit(run) is { } share)
        {
            var (train, heldOut) = rows.Split(share, _training.Seed(run));
            run.Say($"held out for evaluation: {Human.Count(heldOut.Count, "row")}");
            return (train, heldOut);
        }

        return (rows.Learned, _training.EvaluationFile(run) is { } file ? read([file]).Learned : null);
    }

    /// <summary>Before a dry run, says of the rows what <c>data</c> says; all that cannot be read are counted.</summary>
    private void Look(Invocation run, Func<IReadOnlyList<RowPreview>> preview)
    {
        if (!run.Get(_dryRun))
            return;
        var report = new DataReport(preview(), tokenizer: null, isPrompt: false);
        foreach (var line in report.Lines())
            run.Say(line);
        if (report.Fault is { } fault)
            throw fault;
    }

    private TrainingArguments Packed(
        Invocation run, TrainingArguments arguments, IReadOnlyList<Example> rows, int? context)
    {
        if (!_training.Packs(run))
            return arguments;
        var length = _data.RowLength(run, context) ?? throw new UsageException(
            "--packing needs the length of a pack, which the model does not say; give --seq-len too.");
        var packs = Packs.Fill([.. rows.Select(static row => row.Length)], length);
        var share = 100.0 * rows.Sum(static row => (long)row.Length) / ((long)packs.Length * length);
        run.Say(string.Create(CultureInfo.InvariantCulture, $"packing: {rows.Count} rows in {packs.Length} packs of ")
            + string.Create(CultureInfo.InvariantCulture, $"{length} tokens, {share:F1} % full; ")
            + "rows of like length run together, each by itself");
        return arguments with { PackLength = length };
    }

    /// <summary>A folder that holds an adapter is not trained over unless the user says how.</summary>
    private OutputFolder OpenFolder(Invocation run)
    {
        var heldOut = _training.EvaluationFile(run) is { } file ? DataOptions.Files(run, [file]) : [];
        string[] inputs = [.. _data.Files(run), .. heldOut];
        if (!_training.Resumes(run))
            return _output.Open(run, FolderFiles.OfRun, inputs);
        var path = _output.PathOf(run);
        var folder = _output.OpenAgain(run, FolderFiles.OfRun, inputs);
        if (Trainer.CheckpointFiles.Any(name => File.Exists(Path.Combine(path, name))))
            return folder;
        folder.Dispose();
        throw new UsageException(
            $"{Path.Combine(path, Trainer.CheckpointFile)} is missing, so nothing can be resumed; "
            + "train without --resume.");
    }
}
