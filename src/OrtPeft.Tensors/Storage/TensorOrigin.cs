namespace OrtPeft.Tensors.Storage;

/// <summary>The source of a tensor's bytes: another tensor, or some columns of a matrix.</summary>
/// <param name="Source">The other tensor; its element type and layout may differ.</param>
/// <param name="FirstColumn">The first of the columns, counted in the matrix as the new tensor has it.</param>
/// <param name="Columns">How many columns; null for all.</param>
internal sealed record TensorOrigin(Tensor Source, int FirstColumn = 0, int? Columns = null);
