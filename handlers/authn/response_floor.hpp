// Answers that do not tell by their time what went into them.
#pragma once

#include "handlers/http/context.hpp"

#include <chrono>

namespace handlers {

/** Holds an answer until the next beat since it was made, so that work of a few milliseconds more or less
   does not show: whether a mail had to be written, for example. Make it before the work. */
class beat {
public:
    using clock = std::chrono::steady_clock;

    /// @param length many times the difference that it is to hide, or some answers fall behind by a whole
    /// beat
    explicit beat(std::chrono::milliseconds length) : length_(length) {}

    awaitable<void> next() const;

private:
    clock::time_point begun_ = clock::now();
    std::chrono::milliseconds length_;
};

/// Of answers behind which a mail may have been written, or an account made: some milliseconds.
inline constexpr std::chrono::milliseconds mail_beat{100};

/// Of a refused login: what finding an account takes longer than finding none, less than a tenth of a
/// millisecond.
inline constexpr std::chrono::milliseconds refusal_beat{20};

} // namespace handlers
