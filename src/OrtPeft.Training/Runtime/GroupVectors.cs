using OrtPeft.Training.Distributed;

namespace OrtPeft.Training.Runtime;

/// <summary>Vectors of a group of processes.</summary>
internal static class GroupVectors
{
    /// <summary>The numbers that are summed at once: their copies stay small.</summary>
    private const int Piece = 1 << 22;

    extension(ProcessGroup group)
    {
        /// <summary>Puts the sum over all processes in a vector's place.</summary>
        public void Sum(NativeVector vector)
        {
            for (long at = 0; group.Size > 1 && at < vector.Count; at += Piece)
                group.Sum(vector.Span(at, Math.Min(Piece, vector.Count - at)));
        }

        /// <summary>Gives each process the first one's numbers.</summary>
        public void Broadcast(NativeVector vector)
        {
            if (group.Size > 1)
                group.Broadcast(vector.Bytes);
        }
    }
}
