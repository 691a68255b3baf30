using System.Text;
using OrtPeft.Tensors.Storage;

namespace OrtPeft.Models.Checkpoints.Gguf;

/// <summary>Writes a GGUF file of version 3: metadata in the order in which it is added, then tensors.</summary>
/// <seealso href="https://github.com/ggml-org/ggml/blob/master/docs/gguf.md">The format.</seealso>
internal sealed class GgufWriter
{
    private const uint Magic = 0x46554747;
    private const uint Version = 3;
    private const int Alignment = 32;

    private readonly List<(string Key, object Value)> _metadata = [];
    private readonly List<(string Name, GgmlForm Form, long[] Dims, Func<float[]> Numbers)> _tensors = [];

    /// <summary>Adds a text, a flag, a number, or an array of texts, numbers or floats.</summary>
    public void Add(string key, object value) => _metadata.Add((key, value));

    /// <summary>Adds a tensor.</summary>
    /// <param name="name">ggml's name.</param>
    /// <param name="form">How its numbers are held.</param>
    /// <param name="dims">The axes in PyTorch's order.</param>
    /// <param name="numbers">Makes the numbers, when they are written.</param>
    public void Add(string name, GgmlForm form, long[] dims, Func<float[]> numbers) =>
        _tensors.Add((name, form, dims, numbers));

    /// <summary>Writes the file, whole or not at all; memory holds one tensor at a time.</summary>
    /// <exception cref="ArgumentException">A number is beyond its tensor's type.</exception>
    public void Save(string path)
    {
        using var file = new AtomicFile(path);
        using (var writer = new BinaryWriter(file.Stream, Encoding.UTF8, leaveOpen: true))
        {
            WriteHead(writer);
            foreach (var (name, form, _, numbers) in _tensors)
            {
                var bytes = form.Store(name, numbers());
                writer.Write(bytes);
                writer.Write(new byte[Padding(bytes.LongLength)]);
            }
        }

        file.Commit();
    }

    private static int Padding(long length) => (int)((Alignment - (length % Alignment)) % Alignment);

    private void WriteHead(BinaryWriter target)
    {
        using var memory = new MemoryStream();
        using var writer = new BinaryWriter(memory);
        writer.Write(Magic);
        writer.Write(Version);
        writer.Write((long)_tensors.Count);
        writer.Write((long)_metadata.Count);
        foreach (var (key, value) in _metadata)
        {
            Write(writer, key);
            writer.Write(IdOf(value));
            Write(writer, value);
        }

        long offset = 0;
        foreach (var (name, form, dims, _) in _tensors)
        {
            Write(writer, name);
            writer.Write((uint)dims.Length);
            foreach (var dim in dims.Reverse())
                writer.Write(dim);
            writer.Write(form.Id);
            writer.Write(offset);
            var length = form.BytesOf(dims.Aggregate(1L, static (a, b) => a * b));
            offset += length + Padding(length);
        }

        writer.Write(new byte[Padding(memory.Length)]);
        writer.Flush();
        target.Write(memory.ToArray());
    }

    private static uint IdOf(object value) => value switch
    {
        uint => 4,
        int => 5,
        float => 6,
        bool => 7,
        string => 8,
        Array => 9,
        _ => throw new ArgumentException($"{value.GetType()} has no type in GGUF.", nameof(value)),
    };

    private static void Write(BinaryWriter writer, object value)
    {
        switch (value)
        {
            case uint number:
                writer.Write(number);
                break;
            case int number:
                writer.Write(number);
                break;
            case float number:
                writer.Write(number);
                break;
            case bool flag:
                writer.Write(flag);
                break;
            case string text:
                var bytes = Encoding.UTF8.GetBytes(text);
                writer.Write((long)bytes.Length);
                writer.Write(bytes);
                break;
            case Array list:
                writer.Write(list switch { string[] => 8u, float[] => 6u, _ => 5u });
                writer.Write(list.LongLength);
                foreach (var item in list)
                    Write(writer, item!);
                break;
        }
    }
}
