using System.Globalization;
using System.Net;
using System.Text;

namespace OrtPeft.Training.Reports;

/// <summary>The common beginning of all pages of runs, and text in them.</summary>
internal static class PageText
{
    private const string Style =
        """
        :root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif;
          --back: #fff; --card: #f6f7f9; --text: #1c1e21; --soft: #565d66; --rule: #d8dce1;
          --c0: #1459c7; --c1: #b8430a; --c2: #1a7a3c; --c3: #8a2bb0; --c4: #a11450; --c5: #0b7285; --c6: #7a5b00; --c7: #4a4f57 }
        @media (prefers-color-scheme: dark) { :root {
          --back: #14161a; --card: #1d2026; --text: #e7e9ec; --soft: #a3abb5; --rule: #363b44;
          --c0: #74b0ff; --c1: #ff9d5c; --c2: #5fce86; --c3: #d39bf2; --c4: #ff86b3; --c5: #5cc9dc; --c6: #e0bd4f; --c7: #b3b9c2 } }
        * { box-sizing: border-box }
        body { background: var(--back); color: var(--text); margin: 0 auto; max-width: 72rem; padding: 1.5rem 1rem 4rem }
        h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 .2rem; overflow-wrap: anywhere }
        h2 { font-size: 1.15rem; margin: 2.5rem 0 .8rem }
        h3 { font-size: 1rem; margin: 1.2rem 0 .4rem; overflow-wrap: anywhere }
        .note, .lead, figcaption + .note { color: var(--soft); margin: 0 0 .6rem }
        .tiles { display: grid; gap: .8rem; grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr)); list-style: none;
          margin: 1.2rem 0; padding: 0 }
        .tiles li { background: var(--card); border-radius: .5rem; padding: .7rem .9rem }
        .tiles b { display: block; font-size: 1.25rem; font-variant-numeric: tabular-nums; font-weight: 600 }
        .tiles span { color: var(--soft) }
        .charts { display: grid; margin-top: 1.2rem; gap: 1.2rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 28rem), 1fr)) }
        figure { background: var(--card); border-radius: .5rem; margin: 0; min-width: 0; padding: .9rem 1rem }
        figcaption { font-weight: 600; margin-bottom: .3rem }
        .plot { height: 15rem; margin: .6rem .6rem 1.6rem 3.4rem; position: relative }
        .plot > svg { display: block; height: 100%; overflow: visible; width: 100% }
        .plot span { color: var(--soft); font-size: .75rem; font-variant-numeric: tabular-nums; line-height: 1;
          position: absolute; white-space: nowrap }
        .plot .y { right: calc(100% + .5rem); transform: translateY(-50%) }
        .plot .x { top: calc(100% + .5rem); transform: translateX(-50%) }
        path { fill: none; stroke: var(--c0); stroke-linecap: round; stroke-linejoin: round; stroke-width: 2;
          vector-effect: non-scaling-stroke }
        path.grid { stroke: var(--rule); stroke-width: 1 }
        path.faint { opacity: .35; stroke-width: 1 }
        path.c1 { stroke: var(--c1) } path.c2 { stroke: var(--c2) } path.c3 { stroke: var(--c3) } path.c4 { stroke: var(--c4) }
        path.c5 { stroke: var(--c5) } path.c6 { stroke: var(--c6) } path.c7 { stroke: var(--c7) }
        path.dashed { stroke-dasharray: 5 4 }
        path.dots { stroke-width: 6 }
        .legend { display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; list-style: none; margin: 0; padding: 0 }
        .legend li { overflow-wrap: anywhere }
        .legend svg { height: .5rem; margin-right: .4rem; vertical-align: middle; width: 1.5rem }
        .scroll { overflow-x: auto }
        table { border-collapse: collapse; font-variant-numeric: tabular-nums }
        th, td { border-bottom: 1px solid var(--rule); padding: .3rem 1rem .3rem 0; text-align: left; vertical-align: top }
        th { font-weight: 600 }
        .facts { display: grid; gap: 0 2rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 24rem), 1fr)) }
        .facts table { width: 100% }
        .facts th { color: var(--soft); font-weight: 400; white-space: nowrap }
        .facts td { overflow-wrap: anywhere; width: 100% }
        pre { background: var(--card); border-radius: .5rem; font: 13px/1.5 ui-monospace, monospace; margin: .3rem 0;
          overflow-wrap: anywhere; padding: .6rem .8rem; white-space: pre-wrap }
        summary { cursor: pointer }
        """;

    /// <summary>Begins a page. It may load nothing and run nothing, whatever stands in it.</summary>
    public static StringBuilder Begin(string title, string mark) => new(
        $"""
        <!DOCTYPE html>
        <html lang="en">
        <meta charset="utf-8">
        <meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
        <meta name="generator" content="{mark}">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <link rel="icon" href="data:,">
        <title>{Escaped(title)}</title>
        <style>
        {Style}
        </style>
        <body>

        """);

    /// <summary>Adds an element with a text in it.</summary>
    /// <param name="page">The page.</param>
    /// <param name="tag">Its name, with attributes.</param>
    /// <param name="text">The text as it is.</param>
    public static void Element(StringBuilder page, string tag, string text)
    {
        var name = tag.Split(' ')[0];
        var start = name == "pre" ? "\n" : ""; // HTML drops one line feed here
        page.Append(CultureInfo.InvariantCulture, $"<{tag}>{start}{Escaped(text)}</{name}>\n");
    }

    /// <summary>Adds a table; the first row is its head.</summary>
    public static void Table(StringBuilder page, IEnumerable<IReadOnlyList<string>> rows)
    {
        page.Append("<div class=\"scroll\" tabindex=\"0\"><table>\n");
        foreach (var (i, row) in rows.Index())
        {
            var cell = i == 0 ? "th" : "td";
            page.Append("<tr>").AppendJoin("", row.Select(text => $"<{cell}>{Escaped(text)}</{cell}>")).Append("</tr>\n");
        }

        page.Append("</table></div>\n");
    }

    /// <summary>Text that is shown as it is. What HTML has no place for is shown by a sign.</summary>
    public static string Escaped(string text) => WebUtility.HtmlEncode(string.Concat(text.Select(static c => c switch
    {
        '\r' => '␍',
        '\t' or '\n' => c,
        < ' ' => (char)('\u2400' + c),
        '\u007f' => '\u2421',
        _ => c,
    })));
}
