// SPDX-License-Identifier: Apache-2.0
// What values are on average, channel by channel, as far as the network's batch normalization tells: it was trained
// along with the network, so no data is needed to know it.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "graph/graph.h"

namespace octavo::graph {

/// By a value's name: the mean of each channel (of dimension 1), NaN where it is not known. A value that was flattened
/// has equal runs of features for each.
using ChannelMeans = std::map<std::string, std::vector<double>>;

/// For an imported graph, before BatchNorm is folded into other layers; canonicalize() keeps the names. What is not
/// known at all is left out, and so is what no Convolution or Linear reads.
///
/// A BatchNorm's results are taken for normal numbers of mean 0 and variance 1; Scale, functions of each number, sums
/// (of independent numbers), concatenation, cutting and padding by zeros are followed; an average keeps the mean, other
/// layers keep nothing. A BatchNorm of means 0 and variances 1 throughout stands for a Scale and was never trained: it
/// tells nothing.
[[nodiscard]] ChannelMeans channel_means(Graph graph);

/// The mean and the variance of a function of a normal number.
struct NormalMoments {
  double mean = 0.0, variance = 0.0;
};
/// By the trapezoid rule over 8 deviations each way, 8 steps a deviation: exact to 0.001 deviations for functions with
/// kinks, far better for smooth ones. NaN where the function is, or where the variance is not known.
[[nodiscard]] NormalMoments moments_of(const Unary& function, const NormalMoments& x);

}  // namespace octavo::graph
