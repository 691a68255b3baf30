using System.Globalization;
using Android.App;
using Android.OS;
using Android.Text;
using Android.Widget;

namespace OnDevice.Android.Screen;

/// <summary>A box for texts, a button that trains on them and stops, and a line that says how far it is.</summary>
[Activity(Label = "Fine-tune", MainLauncher = true)]
public sealed class MainActivity : Activity
{
    private const int Steps = 50;
    private const string Artifacts = "artifacts";

    private EditText? _texts;
    private Button? _button;
    private TextView? _status;
    private CancellationTokenSource? _stop;

    private string Home => FilesDir!.AbsolutePath;

    /// <inheritdoc/>
    protected override void OnCreate(Bundle? savedInstanceState)
    {
        base.OnCreate(savedInstanceState);
        _texts = new EditText(this)
        {
            Hint = "Texts to learn from, one a line",
            InputType = InputTypes.ClassText | InputTypes.TextFlagMultiLine,
        };
        _button = new Button(this) { Text = "Train" };
        _status = new TextView(this);
        _button.Click += async (_, _) => await TrainOrStopAsync().ConfigureAwait(true);
        var column = new LinearLayout(this) { Orientation = Orientation.Vertical };
        column.AddView(_texts);
        column.AddView(_button);
        column.AddView(_status);
        SetContentView(column);
    }

    /// <summary>In the background an app may be ended at any time: the run stops, and goes on later.</summary>
    protected override void OnPause()
    {
        _stop?.Cancel();
        base.OnPause();
    }

    private async Task TrainOrStopAsync()
    {
        if (_stop is not null)
        {
            await _stop.CancelAsync().ConfigureAwait(true);
            return;
        }

        string[] texts = _texts!.Text!.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        if (texts.Length == 0)
        {
            _status!.Text = "Write at least one line.";
            return;
        }

        using var stop = _stop = new CancellationTokenSource();
        _button!.Text = "Stop";
        try
        {
            var tuner = new Tuner(await Task.Run(Unpacked).ConfigureAwait(true), Home);
            await foreach (var progress in tuner.TrainAsync(texts, Steps, stop.Token).ConfigureAwait(true))
            {
                _status!.Text = string.Create(
                    CultureInfo.CurrentCulture, $"Step {progress.Step} of {Steps}, loss {progress.Loss:F3}");
            }

            _status!.Text = $"Done: {tuner.AdapterFolder}";
        }
        catch (OperationCanceledException)
        {
            _status!.Text += ". Stopped; Train goes on.";
        }
        catch (ArgumentException)
        {
            new Tuner(Home, Home).Forget();
            _status!.Text = "The texts have changed; press Train to begin again.";
        }
        finally
        {
            _stop = null;
            _button.Text = "Train";
        }
    }

    /// <summary>ONNX Runtime reads files, and assets are none: they are copied when the app first needs them.</summary>
    private string Unpacked()
    {
        var (folder, part) = (Path.Combine(Home, Artifacts), Path.Combine(Home, $"{Artifacts}.part"));
        if (Directory.Exists(folder))
            return folder;
        Directory.CreateDirectory(part);
        foreach (var name in Assets!.List(Artifacts)!)
        {
            using var from = Assets.Open($"{Artifacts}/{name}");
            using var to = File.Create(Path.Combine(part, name));
            from.CopyTo(to);
        }

        Directory.Move(part, folder);
        return folder;
    }
}
