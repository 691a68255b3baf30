using System.Globalization;
using OrtPeft.Adapters.Modules;

namespace OrtPeft.Adapters;

/// <summary>How large a model is, and how much of it trains.</summary>
public static class ParameterCounts
{
    extension(PeftModel adapted)
    {
        /// <summary>The number of elements that train.</summary>
        public long TrainableParameterCount => adapted.Parameters.Sum(static p => p.Value.Initializer!.Count);

        /// <summary>
        /// The number of elements of all weights, the base's and the adapter's; a quantised weight counts with its
        /// elements, not with its scales.
        /// </summary>
        public long TotalParameterCount => WeightCatalogue.ElementCount(adapted.Model.Graph);

        /// <summary>How many parameters train, in the words of HF PEFT.</summary>
        /// <returns>One line.</returns>
        public string DescribeTrainableParameters()
        {
            var (trainable, all) = (adapted.TrainableParameterCount, adapted.TotalParameterCount);
            return string.Create(
                CultureInfo.InvariantCulture,
                $"trainable params: {trainable:N0} || all params: {all:N0} || trainable%: {100.0 * trainable / all:F4}");
        }

        /// <summary>Prints <see cref="DescribeTrainableParameters"/>, as HF PEFT's method of this name.</summary>
        /// <param name="output">Where to; the console when left out.</param>
        public void PrintTrainableParameters(TextWriter? output = null) =>
            (output ?? Console.Out).WriteLine(adapted.DescribeTrainableParameters());
    }
}
