using OrtPeft.Adapters;
using OrtPeft.Adapters.Weighted;
using OrtPeft.Onnx;

namespace OrtPeft.Samples.Tests;

/// <summary>The guide, From C#: several adapters on one model.</summary>
internal static class SeveralSample
{
    public static PeftModel Run(Model baseModel, string poemsFolder, string codeFolder)
    {
        // sample: several
        var model = PeftModel.Load(baseModel, poemsFolder); // the first is called "default"
        model.Adapters.Load("code", codeFolder);
        model.Adapters.Set("code");
        model.Adapters.Set("default", "code"); // both at once
        model.AddWeightedAdapter("mix", [("default", 0.7), ("code", 0.3)]);
        model.Adapters.Set("mix");
        model.Adapters.Disable(); // the base again
        // end

        return model;
    }
}
