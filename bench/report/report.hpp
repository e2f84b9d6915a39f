// The result, for people and for programs.
#pragma once

#include "bench/load/measure.hpp"

#include <boost/json.hpp>

#include <string>

namespace bench {

/** The heading, a row for each kind, and what the processes used. */
std::string as_text(const measurement& run);

/** Everything, with the latency curve in microseconds. */
boost::json::object as_json(const measurement& run);

/** One line about how the load was applied. */
std::string conditions(const measurement& run);

/** @throw failure if the file cannot be written */
void write_file(const std::string& path, const std::string& content);

} // namespace bench
