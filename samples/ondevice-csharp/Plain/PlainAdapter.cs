using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text.Json;
using Microsoft.ML.OnnxRuntime;

namespace OnDevice.Plain;

/// <summary>An adapter in training: four vectors and two sessions.</summary>
internal sealed class PlainAdapter : IDisposable
{
    private readonly string _folder;
    private readonly JsonElement _manifest;
    private readonly byte[] _weights;
    private readonly Dictionary<string, float[]> _vectors;
    private readonly InferenceSession _training;
    private readonly InferenceSession _optimizer;
    private readonly RunOptions _options = new();

    public PlainAdapter(string folder)
    {
        _folder = folder;
        _manifest = JsonSerializer.Deserialize<JsonElement>(File.ReadAllBytes(Path.Combine(folder, "artifacts.json")));
        if (_manifest.TryGetProperty("saving", out _))
            throw new NotSupportedException("What it saves is made by save_model.onnx, which the sample does not run.");
        var length = _manifest.GetProperty("flat_length").GetInt32();
        string[] roles = ["parameters", "gradients", "first_moments", "second_moments", "learning_rate_factors"];
        _vectors = roles.ToDictionary(static role => role, _ => new float[length]);
        _weights = File.ReadAllBytes(Path.Combine(folder, Text(_manifest.GetProperty("files"), "weights")));
        foreach (var parameter in _manifest.GetProperty("parameters").EnumerateArray())
        {
            Stored(parameter).CopyTo(Part("parameters", parameter).Span);
            var factor = parameter.GetProperty("learning_rate_factor").GetSingle();
            Part("learning_rate_factors", parameter).Span.Fill(factor);
        }

        _training = new InferenceSession(Path.Combine(folder, Text(_manifest.GetProperty("training"), "file")));
        _optimizer = new InferenceSession(Path.Combine(folder, Text(_manifest.GetProperty("optimizer"), "file")));
    }

    /// <summary>One step; returns the mean loss before it.</summary>
    public double Step(int step, float learningRate, Batch batch)
    {
        var count = batch.Supervised(_manifest.GetProperty("virtual_tokens").GetInt32());
        var parameters = _manifest.GetProperty("parameters").EnumerateArray()
            .SelectMany(static p => new[] { (Key: Text(p, "input"), p), (Key: Text(p, "gradient"), p) })
            .ToDictionary(static p => p.Key, static p => p.p);
        double loss = 0;
        Run(_training, "training", input => Text(input, "role") switch
        {
            "data" => OrtValue.CreateTensorValueFromMemory(batch.Numbers[Text(input, "name")], batch.Shape),
            "parameter" => View("parameters", parameters[Name(input)]),
            "loss_scale" => OrtValue.CreateTensorValueFromMemory(new[] { 1f / count }, []),
            "dropout_seed" => OrtValue.CreateTensorValueFromMemory(new[] { (long)step }, []),
            var role => throw new NotSupportedException($"The sample knows no inputs of the role {role}."),
        }, (output, value) =>
        {
            if (Text(output, "role") == "loss_sum")
                loss = value.GetTensorDataAsSpan<float>()[0] / count;
            else if (Text(output, "role") == "gradient")
                value.GetTensorDataAsSpan<float>().CopyTo(Part("gradients", parameters[Name(output)]).Span);
        });
        Run(_optimizer, "optimizer", input => Text(input, "role") switch
        {
            "learning_rate" => OrtValue.CreateTensorValueFromMemory(new[] { learningRate }, []),
            "step" => OrtValue.CreateTensorValueFromMemory(new[] { (long)step }, []),
            var role => OrtValue.CreateTensorValueFromMemory(_vectors[role], [_vectors[role].Length]),
        }, (output, value) =>
        {
            var role = Text(output, "role").Replace("updated_", "", StringComparison.Ordinal);
            if (_vectors.TryGetValue(role, out var vector))
                value.GetTensorDataAsSpan<float>().CopyTo(vector);
        });
        return loss;
    }

    /// <summary>Writes an adapter folder: the initial file with the trained numbers in their places.</summary>
    public void Save(string folder)
    {
        Directory.CreateDirectory(folder);
        foreach (var parameter in _manifest.GetProperty("parameters").EnumerateArray())
            Part("parameters", parameter).Span.CopyTo(Stored(parameter));
        File.WriteAllBytes(Path.Combine(folder, "adapter_model.safetensors"), _weights);
        const string Config = "adapter_config.json";
        File.Copy(Path.Combine(_folder, Config), Path.Combine(folder, Config), overwrite: true);
    }

    public void Dispose()
    {
        _training.Dispose();
        _optimizer.Dispose();
        _options.Dispose();
    }

    private void Run(
        InferenceSession session, string graph, Func<JsonElement, OrtValue> feed, Action<JsonElement, OrtValue> take)
    {
        var (inputs, outputs) = (Values(graph, "inputs"), Values(graph, "outputs"));
        OrtValue[] feeds = [.. inputs.Select(feed)];
        using (var results = session.Run(_options, [.. inputs.Select(Name)], feeds, [.. outputs.Select(Name)]))
        {
            foreach (var (output, value) in outputs.Zip(results))
                take(output, value);
        }

        foreach (var value in feeds)
            value.Dispose();
    }

    /// <summary>A tensor in the safetensors file: header length, header, then data at the header's offsets.</summary>
    private Span<float> Stored(JsonElement parameter)
    {
        var header = (int)BinaryPrimitives.ReadInt64LittleEndian(_weights);
        var entry = JsonSerializer.Deserialize<JsonElement>(_weights.AsSpan(8, header)).GetProperty(Name(parameter));
        var offsets = entry.GetProperty("data_offsets");
        var (begin, end) = (offsets[0].GetInt32(), offsets[1].GetInt32());
        return MemoryMarshal.Cast<byte, float>(_weights.AsSpan(8 + header + begin, end - begin));
    }

    private JsonElement[] Values(string graph, string side) =>
        [.. _manifest.GetProperty(graph).GetProperty(side).EnumerateArray()];

    private Memory<float> Part(string vector, JsonElement parameter) => _vectors[vector].AsMemory(
        parameter.GetProperty("offset").GetInt32(), (int)Dims(parameter).Aggregate(1L, static (n, dim) => n * dim));

    private OrtValue View(string vector, JsonElement parameter) => OrtValue.CreateTensorValueFromMemory(
        OrtMemoryInfo.DefaultInstance, Part(vector, parameter), Dims(parameter));

    private static long[] Dims(JsonElement parameter) =>
        [.. parameter.GetProperty("dims").EnumerateArray().Select(static d => d.GetInt64())];

    private static string Name(JsonElement value) => Text(value, "name");

    private static string Text(JsonElement value, string property) => value.GetProperty(property).GetString()!;
}
