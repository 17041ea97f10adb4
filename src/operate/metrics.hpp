// The metrics as text: Prometheus' format 0.0.4, or OpenMetrics 1.0.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "src/operate/readings.hpp"

namespace boshd {

enum class MetricsFormat { prometheus, open_metrics };

/// What an Accept header asks for.
MetricsFormat metrics_format(std::string_view accept);
std::string_view content_type(MetricsFormat);

/// Every metric with all of its labels, also those that are 0.
std::string metrics_text(const Readings&, MetricsFormat);

/// The names, as they stand in the text; of histograms without what follows them there.
std::vector<std::string_view> metric_names();

}  // namespace boshd
