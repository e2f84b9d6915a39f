// What is sent: the words that scenarios and the load loop share.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bench {

/** One sort of request in a run, counted apart from the others. */
struct kind {
    std::string name;
    int expected_status = 200;
};

struct request {
    std::string_view bytes; ///< whole and ready to send; valid until the next one is asked for
    std::size_t kind = 0;   ///< index into the scenario's kinds
};

/** An endless or finite supply of requests for one thread. It is asked in the hot loop, so it patches bytes
    in place and allocates nothing. */
class traffic {
public:
    virtual ~traffic() = default;

    /** The next request, or nothing once the supply is used up. */
    virtual std::optional<request> next() = 0;
};

/** Makes the supply of one of several threads; together they cover the scenario's data without overlap. */
using traffic_factory = std::function<std::unique_ptr<traffic>(std::size_t thread, std::size_t threads)>;

} // namespace bench
