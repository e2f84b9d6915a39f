// The result of a run as text and as JSON.
#pragma once

#include "bench/load/measure.hpp"

#include <boost/json.hpp>

#include <string>

namespace bench {

/// The title, a row for each kind, and the resources that the processes used.
std::string as_text(const measurement& run);

/// All figures, with the latency curve in microseconds.
boost::json::object as_json(const measurement& run);

/// One line that describes the load.
std::string conditions(const measurement& run);

/// Report failed runs on standard error. @return the exit status
int exit_status(const std::vector<measurement>& runs);

/// @throw failure if the file cannot be written
void write_file(const std::string& path, const std::string& content);

} // namespace bench
