using System.Text.Json;
using System.Text.Json.Nodes;

namespace OrtPeft.Training.Data.Forms;

/// <summary>Gives the fields of a row the names that rows are read by.</summary>
/// <param name="names">Own names by the name that is read.</param>
internal sealed class OwnNames(IReadOnlyDictionary<string, string> names)
{
    private readonly Dictionary<string, string> _rows = Of(names, RowField.OfRows);
    private readonly Dictionary<string, string> _turns = Of(names, RowField.OfTurns);
    private readonly Dictionary<string, string> _roles = Of(names, RowField.Roles);

    /// <summary>Whether nothing is called otherwise.</summary>
    public bool IsEmpty => names.Count == 0;

    /// <summary>Renames in place: fields of the row, of its turns, and roles.</summary>
    public void Apply(DataPlace place, JsonObject row)
    {
        Rename(place, row, _rows, "");
        if (_turns.Count == 0 && _roles.Count == 0)
            return;
        foreach (var field in (string[])["messages", "conversations", "prompt", "completion"])
        {
            foreach ((var i, var turn) in (row[field] as JsonArray ?? []).Index())
                RenameTurn(place, turn as JsonObject, FormattableString.Invariant($"{field}[{i}]."));
        }
    }

    private void RenameTurn(DataPlace place, JsonObject? turn, string path)
    {
        if (turn is null)
            return;
        Rename(place, turn, _turns, path);
        var isText = turn["role"] is JsonValue role && role.GetValueKind() == JsonValueKind.String;
        if (isText && _roles.TryGetValue(turn["role"]!.GetValue<string>(), out var name))
            turn["role"] = name;
    }

    private static void Rename(DataPlace place, JsonObject owner, Dictionary<string, string> names, string path)
    {
        foreach ((var own, var name) in names)
        {
            if (!owner.ContainsKey(own))
                continue;
            if (owner[name] is not null)
                throw place.Error($"{path}{own}", $"it is mapped to {name}, which the row has too; leave one out");
            var value = owner[own];
            owner.Remove(own);
            owner[name] = value;
        }
    }

    /// <summary>The names that are read by own names.</summary>
    private static Dictionary<string, string> Of(
        IReadOnlyDictionary<string, string> names, IReadOnlyList<string> known) =>
        names.Where(n => known.Contains(n.Key) && n.Key != n.Value)
            .ToDictionary(static n => n.Value, static n => n.Key, StringComparer.Ordinal);
}
