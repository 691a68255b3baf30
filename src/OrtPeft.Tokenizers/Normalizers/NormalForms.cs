using System.Text;
using OrtPeft.Tokenizers.Alignment;
using OrtPeft.Tokenizers.Patterns;
using OrtPeft.Tokenizers.Unicode;

namespace OrtPeft.Tokenizers.Normalizers;

/// <summary>NFC, NFD, NFKC and NFKD.</summary>
internal static class NormalForms
{
    /// <summary>For each form, what a text in it may not hold, or not without another look.</summary>
    private static readonly Lazy<CodePointClass[]> Suspects = new(static () =>
        [.. Enum.GetValues<NormalForm>().Select(static form => new CodePointClass(SuspectsOf(form)))]);

    public static TextNormalizer Of(NormalForm form) => text => Apply(text, form);

    public static AlignedText Apply(AlignedText text, NormalForm form)
    {
        if (IsPlain(text.Text, form))
            return text;
        var from = new CodePoints(text.Text);
        return text.With(from, new NormalFormWriter(form).Write(from.Codes));
    }

    /// <summary>The form of a text without lone surrogates.</summary>
    public static string Apply(string text, NormalForm form) =>
        IsPlain(text, form) ? text : Apply(AlignedText.Of(text), form).Text;

    private static bool IsPlain(string text, NormalForm form)
    {
        if (Ascii.IsValid(text))
            return true;
        var suspects = Suspects.Value[(int)form];
        for (int unit = 0, width; unit < text.Length; unit += width)
        {
            if (suspects.Contains(CodePoints.At(text, unit, out width)))
                return false;
        }

        return true;
    }

    /// <summary>The code points that a form may change: those that decompose for good, those that are ordered, and
    /// those that may become another or combine with one.</summary>
    private static CodePointSet SuspectsOf(NormalForm form)
    {
        var tables = UnicodeTables.Current;
        var composes = form is NormalForm.Composed or NormalForm.CompatibilityComposed;
        var isCompatible = form is NormalForm.CompatibilityComposed or NormalForm.CompatibilityDecomposed;
        // What composes again is in form C; in form KC a part of it may have another form.
        var decomposing = tables.Canonical.Keys;
        if (form == NormalForm.Composed)
            decomposing = decomposing.Except(tables.Compositions.Values);
        var codes = tables.CombiningClasses.Keys.Concat(decomposing);
        if (composes)
            codes = codes.Concat(tables.Compositions.Keys.Select(static pair => pair.Item2));
        if (isCompatible)
            codes = codes.Concat(tables.Compatible.Keys);
        var hangul = composes ? CodePointSet.Of((0x1160, 0x1200)) : CodePointSet.Of((0xAC00, 0xD7A4));
        return hangul.Or(CodePointSet.Of(codes.Select(static code => (code, code + 1))));
    }
}
