using System.Globalization;
using Microsoft.ML.OnnxRuntime;

namespace OnDevice.Switching;

/// <summary>Continues tokens with the base and with each adapter of an exported folder, token by token in turn.</summary>
internal static class Program
{
    private static int Main(string[] args)
    {
        if (args is not [var folder, var prompt, var count])
        {
            Console.Error.WriteLine("usage: OnDevice.Switching FOLDER TOKEN,TOKEN,… COUNT");
            return 2;
        }

        try
        {
            Continue(folder, [.. prompt.Split(',').Select(Number)], (int)Number(count));
            return 0;
        }
        catch (Exception e) when (e is IOException or FormatException or NotSupportedException or OnnxRuntimeException)
        {
            Console.Error.WriteLine(e.Message);
            return 2;
        }
    }

    private static long Number(string text) => long.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture);

    private static void Continue(string folder, long[] prompt, int count)
    {
        if (!File.Exists(Path.Combine(folder, "model.onnx")))
            throw new FileNotFoundException($"{folder} has no model.onnx; give a folder of ortpeft export --format onnx-adapter.");
        using var model = new LoraModel(folder);
        foreach (var file in Directory.EnumerateFiles(folder, "*.onnx_adapter").Order(StringComparer.Ordinal))
            model.Load(Path.GetFileNameWithoutExtension(file), file);
        var texts = model.Adapters.Prepend<string?>(null).Select(name => (Name: name, Tokens: prompt.ToList())).ToArray();
        for (var i = 0; i < count; i++)
        {
            foreach (var (name, tokens) in texts)
                tokens.Add(model.Next(tokens, name));
        }

        foreach (var (name, tokens) in texts)
            Console.WriteLine($"{name ?? "base"}: {string.Join(' ', tokens.Skip(prompt.Length))}");
    }
}
