using System.Globalization;
using System.Net;
using System.Text;
using OrtPeft.Training.Data;

namespace OrtPeft.Cli.Reporting;

/// <summary>Rows as the model sees them on a web page that needs no other file: what is learned in colour, and the rest
/// of the report above them.</summary>
internal static class DataPage
{
    /// <summary>Stands in every page that is written here, and so tells them from other files.</summary>
    public const string Mark = "<meta name=\"generator\" content=\"ortpeft data\">";

    private const string Head =
        $$"""
        <!DOCTYPE html>
        <html lang="en">
        <meta charset="utf-8">
        {{Mark}}
        <meta name="viewport" content="width=device-width">
        <title>Rows as the model sees them</title>
        <style>
        :root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif }
        body { margin: 2rem auto; max-width: 60rem; padding: 0 1rem }
        h2 { font-size: 1rem; margin: 2rem 0 .3rem }
        pre { font: 13px/1.5 ui-monospace, monospace; overflow-wrap: anywhere; white-space: pre-wrap }
        pre.row { border: 1px solid #8888; border-radius: .3rem; padding: .6rem }
        mark { background: #2a93; border-bottom: 2px solid #2a9; color: inherit }
        .error { color: #d22 }
        </style>
        <h1>Rows as the model sees them</h1>
        <p>What is learned is <mark>marked</mark>.</p>

        """;

    /// <summary>The page.</summary>
    /// <param name="summary">The lines above the rows.</param>
    /// <param name="rows">The rows that are shown.</param>
    /// <param name="all">How many there are.</param>
    /// <param name="heading">A row's place and lengths.</param>
    /// <param name="stretches">A row's text in stretches that are learned, or are not.</param>
    public static string Of(
        IEnumerable<string> summary,
        IReadOnlyList<RowPreview> rows,
        int all,
        Func<RowPreview, string> heading,
        Func<Example, IEnumerable<(bool IsLearned, string Text)>> stretches)
    {
        var page = new StringBuilder(Head);
        Element(page, "pre", string.Join('\n', summary));
        if (rows.Count < all)
            Element(page, "p", $"Here are the first {Human.Count(rows.Count)} of {Human.Count(all, "row")}.");
        foreach (var row in rows)
        {
            Element(page, "h2", heading(row));
            if (row.Example is { } example)
                Text(page, stretches(example));
            else if (row.Error is not null)
                Element(page, "pre class=\"row error\"", row.Error);
            else
                Element(page, "pre class=\"row\"", row.Text ?? "");
        }

        return page.ToString();
    }

    private static void Text(StringBuilder page, IEnumerable<(bool IsLearned, string Text)> stretches)
    {
        page.Append("<pre class=\"row\">\n");
        foreach (var (isLearned, text) in stretches)
            page.Append(isLearned ? $"<mark>{Escaped(text)}</mark>" : Escaped(text));
        page.Append("</pre>\n");
    }

    private static void Element(StringBuilder page, string tag, string text)
    {
        var name = tag.Split(' ')[0];
        var start = name == "pre" ? "\n" : ""; // HTML drops one line feed here
        page.Append(CultureInfo.InvariantCulture, $"<{tag}>{start}{Escaped(text)}</{name}>\n");
    }

    /// <summary>Text that is shown as it is: HTML would take carriage returns for line feeds, and drops U+0000.</summary>
    private static string Escaped(string text) =>
        WebUtility.HtmlEncode(text).Replace("\r", "␍", StringComparison.Ordinal).Replace('\0', '\u2400');
}
