using System.Globalization;
using System.Text;

namespace OrtPeft.Tokenizers.Chat.Jinja.Library;

/// <summary>C's <c>strftime</c> in the C locale, with glibc's flags: <c>%-d</c> unpadded, <c>%_d</c> blanks.</summary>
internal static class DateText
{
    private static readonly CultureInfo Culture = CultureInfo.InvariantCulture;

    public static string Format(DateTimeOffset now, string format)
    {
        var text = new StringBuilder();
        for (var at = 0; at < format.Length; at++)
        {
            if (format[at] != '%' || at + 1 >= format.Length)
            {
                text.Append(format[at]);
                continue;
            }

            var start = at++;
            var flag = "-_0^#".Contains(format[at], StringComparison.Ordinal) ? format[at++] : ' ';
            var part = at < format.Length ? Part(now, format[at], flag) : null;
            text.Append(part ?? format[start..Math.Min(at + 1, format.Length)]);
        }

        return text.ToString();
    }

    private static string? Part(DateTimeOffset now, char directive, char flag)
    {
        var text = Word(now, directive);
        if (text is not null)
            return flag == '^' || (flag == '#' && directive != 'p') ? text.ToUpperInvariant() : text;
        if (Number(now, directive) is not var (value, width, fill))
            return Composed(now, directive);
        return flag switch
        {
            '-' => value.ToString(Culture),
            '_' => value.ToString(Culture).PadLeft(width),
            '0' => value.ToString(Culture).PadLeft(width, '0'),
            _ => value.ToString(Culture).PadLeft(width, fill),
        };
    }

    private static string? Word(DateTimeOffset now, char directive) => directive switch
    {
        'a' => now.ToString("ddd", Culture),
        'A' => now.ToString("dddd", Culture),
        'b' or 'h' => now.ToString("MMM", Culture),
        'B' => now.ToString("MMMM", Culture),
        'p' => now.Hour < 12 ? "AM" : "PM",
        'P' => now.Hour < 12 ? "am" : "pm",
        'z' or 'Z' => "", // transformers' clock knows no zone
        'n' => "\n",
        't' => "\t",
        '%' => "%",
        'f' => (now.Ticks % TimeSpan.TicksPerSecond / TimeSpan.TicksPerMicrosecond).ToString("000000", Culture),
        _ => null,
    };

    private static (long Value, int Width, char Fill)? Number(DateTimeOffset now, char directive) => directive switch
    {
        'Y' => (now.Year, 1, '0'),
        'C' => (now.Year / 100, 2, '0'),
        'y' => (now.Year % 100, 2, '0'),
        'm' => (now.Month, 2, '0'),
        'd' => (now.Day, 2, '0'),
        'e' => (now.Day, 2, ' '),
        'H' => (now.Hour, 2, '0'),
        'k' => (now.Hour, 2, ' '),
        'I' => (((now.Hour + 11) % 12) + 1, 2, '0'),
        'l' => (((now.Hour + 11) % 12) + 1, 2, ' '),
        'M' => (now.Minute, 2, '0'),
        'S' => (now.Second, 2, '0'),
        'j' => (now.DayOfYear, 3, '0'),
        'w' => ((int)now.DayOfWeek, 1, '0'),
        'u' => (((int)now.DayOfWeek + 6) % 7 + 1, 1, '0'),
        'U' => ((now.DayOfYear + 6 - (int)now.DayOfWeek) / 7, 2, '0'),
        'W' => ((now.DayOfYear + 6 - (((int)now.DayOfWeek + 6) % 7)) / 7, 2, '0'),
        'V' => (ISOWeek.GetWeekOfYear(now.DateTime), 2, '0'),
        'G' => (ISOWeek.GetYear(now.DateTime), 1, '0'),
        'g' => (ISOWeek.GetYear(now.DateTime) % 100, 2, '0'),
        's' => (now.ToUnixTimeSeconds(), 1, '0'),
        _ => null,
    };

    private static string? Composed(DateTimeOffset now, char directive) => directive switch
    {
        'D' or 'x' => Format(now, "%m/%d/%y"),
        'F' => Format(now, "%Y-%m-%d"),
        'T' or 'X' => Format(now, "%H:%M:%S"),
        'R' => Format(now, "%H:%M"),
        'r' => Format(now, "%I:%M:%S %p"),
        'c' => Format(now, "%a %b %e %H:%M:%S %Y"),
        _ => null,
    };
}
