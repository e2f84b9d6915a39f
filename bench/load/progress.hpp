// The progress line of a run.
#pragma once

#include "bench/load/load.hpp"

#include <optional>
#include <string>

namespace bench {

/// One line on standard error per second: rewritten in place on a terminal, appended elsewhere.
class progress {
public:
    explicit progress(bool quiet);
    ~progress();
    progress(const progress&) = delete;
    progress& operator=(const progress&) = delete;

    /** @param phase for example "warm-up" or "3 s of 10 s"
        @param busy CPU use of the server, in processors */
    void show(const std::string& phase, const recent_load& recent, double seconds,
              std::optional<double> busy);

    /// Print a message that stays.
    void say(const std::string& sentence);

private:
    void clear_line();

    bool quiet_, terminal_;
    bool line_open_ = false;
};

} // namespace bench
