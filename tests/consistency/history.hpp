// What clients of several nodes saw, and whether it can have been so if a revocation is never late.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <iterator>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace history {

/// One clock for all threads of the test: what ended before something else began came before it.
using clock = std::chrono::steady_clock;
using time_point = clock::time_point;

/// Something that a credential may do, from the end of the call that allowed it to the end of one that
/// forbade it.
struct claim {
    std::string what; ///< for reports
    time_point granted;
    std::optional<time_point> revoking; ///< the first call that would end it began
    std::optional<time_point> revoked;  ///< such a call returned with success
};

enum class verdict { accepted, refused, unknown };

struct check {
    std::size_t claim = 0;
    std::size_t node = 0;
    time_point begin, end;
    history::verdict verdict = history::verdict::unknown;
    std::string told; ///< the answer in short
};

struct violation {
    enum class kind_type { late, unjust };

    kind_type kind;
    history::check check;
};

/** late: accepted, though the check began after a call that revoked the claim had returned. unjust: refused,
   though it ended before any such call began, and began after the claim was granted. */
inline std::vector<violation> judge(const std::vector<claim>& claims, const std::vector<check>& checks)
{
    std::vector<violation> out;
    for (auto& each : checks) {
        auto& about = claims[each.claim];
        bool was_over = about.revoked && each.begin > *about.revoked;
        bool was_good = each.begin > about.granted && (!about.revoking || each.end < *about.revoking);
        if (each.verdict == verdict::accepted && was_over)
            out.push_back({violation::kind_type::late, each});
        if (each.verdict == verdict::refused && was_good)
            out.push_back({violation::kind_type::unjust, each});
    }
    return out;
}

/// The longest time in which a node decided nothing, from `since` on.
inline clock::duration longest_silence(const std::vector<check>& checks, std::size_t node, time_point since,
                                       time_point until)
{
    std::vector<time_point> decided{since, until};
    for (auto& each : checks)
        if (each.node == node && each.verdict != verdict::unknown && each.end > since && each.end < until)
            decided.push_back(each.end);
    std::sort(decided.begin(), decided.end());
    clock::duration out{};
    for (std::size_t i = 1; i < decided.size(); ++i)
        out = std::max(out, decided[i] - decided[i - 1]);
    return out;
}

/// Written by many threads.
class recorder {
public:
    std::size_t add(claim one)
    {
        std::scoped_lock lock(mutex_);
        claims_.push_back(std::move(one));
        return claims_.size() - 1;
    }

    void begin_revocation(std::size_t of, time_point at)
    {
        std::scoped_lock lock(mutex_);
        if (!claims_[of].revoking)
            claims_[of].revoking = at;
    }

    void end_revocation(std::size_t of, time_point at)
    {
        std::scoped_lock lock(mutex_);
        if (!claims_[of].revoked)
            claims_[of].revoked = at;
    }

    void add(std::vector<check> some)
    {
        std::scoped_lock lock(mutex_);
        checks_.insert(checks_.end(), std::make_move_iterator(some.begin()),
                       std::make_move_iterator(some.end()));
    }

    std::vector<claim> claims() const
    {
        std::scoped_lock lock(mutex_);
        return claims_;
    }

    std::vector<check> checks() const
    {
        std::scoped_lock lock(mutex_);
        return checks_;
    }

private:
    mutable std::mutex mutex_;
    std::vector<claim> claims_;
    std::vector<check> checks_;
};

} // namespace history
