using System.Globalization;
using System.Text;

namespace OrtPeft.Training.Reports;

/// <summary>
/// Curves over steps as an SVG that fills the page's width; numbers and legend are HTML around it, so that they keep their
/// size where it shrinks.
/// </summary>
internal static class Chart
{
    private const double Width = 1000;
    private const double Height = 300;

    /// <summary>Adds a chart; nothing where no curve has a point.</summary>
    /// <param name="page">The page.</param>
    /// <param name="title">What is drawn.</param>
    /// <param name="note">What there is to say of it, or nothing.</param>
    /// <param name="curves">The curves, the ones behind first.</param>
    public static void Add(StringBuilder page, string title, string note, params IReadOnlyList<Curve> curves) =>
        Add(page, title, note, mayBeOfPowers: false, curves);

    /// <summary>Adds a chart of what falls by much, whose ratios then count.</summary>
    /// <param name="page">The page.</param>
    /// <param name="title">What is drawn.</param>
    /// <param name="note">What there is to say of it, or nothing.</param>
    /// <param name="curves">The curves, the ones behind first.</param>
    public static void AddOfRatios(StringBuilder page, string title, string note, params IReadOnlyList<Curve> curves) =>
        Add(page, title, note, mayBeOfPowers: true, curves);

    private static void Add(
        StringBuilder page, string title, string note, bool mayBeOfPowers, IReadOnlyList<Curve> curves)
    {
        Curve[] drawn = [.. curves.Where(static c => c.Drawn.Any())];
        if (drawn.Length == 0)
            return;
        (double X, double Y)[] points = [.. drawn.SelectMany(static c => c.Drawn)];
        var x = ChartAxis.OfSteps([.. points.Select(static p => p.X)]);
        var y = ChartAxis.OfValues([.. points.Select(static p => p.Y)], mayBeOfPowers);
        page.Append("<figure>\n");
        PageText.Element(page, "figcaption", title);
        if (y.IsOfPowers)
            note += $"{(note.Length > 0 ? " " : "")}Logarithmic.";
        if (note.Length > 0)
            PageText.Element(page, "p class=\"note\"", note);
        page.Append("<div class=\"plot\">\n");
        Axes(page, x, y);
        page.Append(Invariant($"<svg viewBox=\"0 0 {Width} {Height}\" preserveAspectRatio=\"none\" role=\"img\" "))
            .Append(Invariant($"aria-label=\"{PageText.Escaped(Summary(title, drawn))}\">\n"));
        foreach (var tick in y.Ticks)
            page.Append(Invariant($"<path class=\"grid\" d=\"M0 {Place(1 - y.Place(tick), Height)}H{Width}\"/>\n"));
        foreach (var curve in drawn)
            Line(page, curve, x, y);
        page.Append("</svg>\n</div>\n");
        if (drawn.Length > 1)
            Legend(page, drawn);
        page.Append("</figure>\n");
    }

    private static void Axes(StringBuilder page, ChartAxis x, ChartAxis y)
    {
        foreach (var tick in y.Ticks)
            page.Append(Invariant($"<span class=\"y\" style=\"top:{Place(1 - y.Place(tick), 100)}%\">{y.Text(tick)}</span>\n"));
        foreach (var tick in x.Ticks)
            page.Append(Invariant($"<span class=\"x\" style=\"left:{Place(x.Place(tick), 100)}%\">{x.Text(tick)}</span>\n"));
    }

    private static void Line(StringBuilder page, Curve curve, ChartAxis x, ChartAxis y)
    {
        var (line, dots) = (new StringBuilder(), new StringBuilder());
        var isOpen = false;
        foreach (var point in curve.Thinned())
        {
            if (!Curve.IsDrawn(point.Y))
            {
                isOpen = false;
                continue;
            }

            var place = $"{Place(x.Place(point.X), Width)} {Place(1 - y.Place(point.Y), Height)}";
            line.Append(isOpen ? 'L' : 'M').Append(place);
            dots.Append('M').Append(place).Append("h0");
            isOpen = true;
        }

        page.Append(Invariant($"<path class=\"{curve.Style}\" d=\"{line}\"/>\n"));
        if (curve.HasDots)
            page.Append(Invariant($"<path class=\"{curve.Style} dots\" d=\"{dots}\"/>\n"));
    }

    private static void Legend(StringBuilder page, IEnumerable<Curve> curves)
    {
        page.Append("<ul class=\"legend\">\n");
        foreach (var curve in curves)
        {
            page.Append(Invariant($"<li><svg viewBox=\"0 0 24 8\" aria-hidden=\"true\"><path class=\"{curve.Style}\" "))
                .Append(Invariant($"d=\"M0 4H24\"/></svg>{PageText.Escaped(curve.Name)}</li>\n"));
        }

        page.Append("</ul>\n");
    }

    /// <summary>The description for a reader who does not see the picture.</summary>
    private static string Summary(string title, IEnumerable<Curve> curves) => $"{title}. " + string.Join(' ', curves.Select(
        static curve =>
        {
            var (first, last) = (curve.Drawn.First(), curve.Drawn.Last());
            return Invariant($"{curve.Name}: {first.Y:G4} at step {first.X:N0}, {last.Y:G4} at step {last.X:N0}.");
        }));

    private static string Place(double share, double whole) =>
        Math.Round(share * whole, 1).ToString(CultureInfo.InvariantCulture);

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
