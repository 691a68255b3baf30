using System.Text.RegularExpressions;
using OrtPeft.Adapters.Modules;

namespace OrtPeft.Adapters.Tests.Modules;

/// <summary>What Python's <c>re.fullmatch</c> (3.11) answers, row by row.</summary>
public sealed class PythonPatternTests
{
    [Theory]
    [InlineData(@"(?P<a>x)(y)\1", "xyx", "xyy")] // .NET counts named groups last
    [InlineData(@"(?P<a>x|z)(?P=a)", "zz", "xz")]
    [InlineData(@"(?:u)(?P<a>x)(?P<b>y)(?P=b)(?P=a)", "uxyyx", "uxyxy")]
    [InlineData(@"a{,2}b", "aab", "a{,2}b")]
    [InlineData(@"[a{,2}]b", ",b", "0b")]
    [InlineData(@"[]x]+", "]x]", "y")]
    [InlineData(@"[^]x]+", "y", "]")]
    [InlineData(@"[a-z-[b]+", "b[-", "B")]
    [InlineData(@"\(?P<a>", "P<a>", "(P<b>")]
    [InlineData(@"[(]?(?P<a>x)(?P=a)", "(xx", "x")]
    [InlineData(@"(?P<a>x)(?:y(?P<b>z))?(?=w)w(?P=a)", "xwx", "xwz")]
    public void ToDotNet_MatchesAsPython(string pattern, string matching, string other)
    {
        var regex = new Regex($"^(?:{PythonPattern.ToDotNet(pattern)})$", RegexOptions.CultureInvariant);

        Assert.Matches(regex, matching);
        Assert.DoesNotMatch(regex, other);
    }

    [Fact]
    public void ToDotNet_BehindOtherGroups_CountsThem()
    {
        var pattern = PythonPattern.ToDotNet(@"(?P<a>x|y)(?P=a)", groupsBefore: 2);

        Assert.Matches($@"^(.*\.)?({pattern})$", "q.yy");
    }
}
