// Request sources: the interface between scenarios and the load generator.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bench {

/// A kind of request within a run, with statistics of its own.
struct kind {
    std::string name;
    int expected_status = 200;
};

struct request {
    /// Complete and ready to send; valid until the next call of next().
    std::string_view bytes;
    /// Index into the scenario's kinds.
    std::size_t kind = 0;
};

/** A finite or infinite sequence of requests for one thread. next() is called in the hot loop, so
    implementations patch bytes in place and allocate nothing. */
class request_source {
public:
    virtual ~request_source() = default;

    /// The next request, or nothing when the source is exhausted.
    virtual std::optional<request> next() = 0;
};

/// Makes the source of one thread; the sources of all threads cover the scenario's data without overlap.
using request_source_factory =
    std::function<std::unique_ptr<request_source>(std::size_t thread, std::size_t threads)>;

} // namespace bench
