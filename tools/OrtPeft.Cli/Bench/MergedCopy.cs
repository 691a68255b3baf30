using OrtPeft.Adapters;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Serialization;

namespace OrtPeft.Cli.Bench;

/// <summary>
/// A merged model in a temporary folder, read back from there: mapped weights are what a merged model runs with, and
/// may be of any size.
/// </summary>
internal sealed class MergedCopy : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("ortpeft-merged-");
    private Model? _model;

    public MergedCopy(PeftModel adapted)
    {
        try
        {
            var file = Path.Combine(_folder.FullName, "model.onnx");
            OnnxFile.Save(adapted.Merge(), file, new OnnxSaveOptions { ExternalData = true });
            _model = OnnxFile.Load(file);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public Model Model => _model ?? throw new ObjectDisposedException(nameof(MergedCopy));

    public void Dispose()
    {
        // Windows deletes no file that is mapped, and the mapping goes with the last tensor in it.
        _model = null;
        GC.Collect();
        GC.WaitForPendingFinalizers();
        _folder.Delete(recursive: true);
    }
}
