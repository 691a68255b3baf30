using System.Text.Json;
using OrtPeft.Tensors.Storage;

namespace OrtPeft.Tensors.Tests.Storage;

public sealed class JsonFieldsTests
{
    private const string Text =
        """{"text": "a", "none": null, "int": 3, "number": 3.0, "flag": false, "list": [0], "other": {}}""";

    private static readonly JsonElement Json = JsonDocument.Parse(Text).RootElement;

    private readonly JsonFields _fields = new(Json, static (field, value, allowed) =>
        new FormatException($"{field} is {value.GetRawText()}, not {allowed}"));

    [Fact]
    public void Read_OfAFieldOfItsKind_GivesTheValue()
    {
        Assert.Equal("a", _fields.Read("text", "a text", JsonFields.IsText, ""));
        Assert.Equal(3, _fields.Read("int", "an integer", JsonFields.IsInteger, 0));
        Assert.Equal(3, _fields.Read("number", "a number", JsonFields.IsNumber, 0.0));
        Assert.False(_fields.Read("flag", "a flag", JsonFields.IsFlag, true));
    }

    [Theory]
    [InlineData("absent", false)]
    [InlineData("none", true)]
    public void Read_OfNothing_GivesTheOtherValue(string field, bool isThere)
    {
        Assert.Equal(7, _fields.Read(field, "an integer", JsonFields.IsInteger, 7));
        Assert.Equal(isThere, _fields.IsThere(field));
    }

    [Theory]
    [InlineData("text")]
    [InlineData("number")]
    [InlineData("flag")]
    [InlineData("list")]
    public void Read_OfAnotherKind_ThrowsWhatWasAskedFor(string field)
    {
        var error = Assert.Throws<FormatException>(
            () => _fields.Read(field, "an integer", JsonFields.IsInteger, 7));

        Assert.Equal($"{field} is {Json.GetProperty(field).GetRawText()}, not an integer", error.Message);
    }

    [Fact]
    public void Unread_AreTheFieldsThatNobodyAskedFor()
    {
        _fields.Know("text", "number");
        _fields.Find("none");
        _fields.Read("int", "an integer", JsonFields.IsInteger, 0);

        Assert.Equal(["flag", "list", "other"], _fields.Unread.Select(static f => f.Name));
    }

    [Theory]
    [InlineData("null", false)]
    [InlineData("false", false)]
    [InlineData("0.0", false)]
    [InlineData("\"\"", false)]
    [InlineData("[]", false)]
    [InlineData("{}", false)]
    [InlineData("true", true)]
    [InlineData("-1", true)]
    [InlineData("1e999", true)]
    [InlineData("\"none\"", true)]
    [InlineData("[null]", true)]
    [InlineData("{\"a\": null}", true)]
    public void IsOn_OfWhatSwitchesSomethingOn_IsTrue(string json, bool isOn)
    {
        Assert.Equal(isOn, JsonFields.IsOn(JsonDocument.Parse(json).RootElement));
    }
}
