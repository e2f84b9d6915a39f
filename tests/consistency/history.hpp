// The recorded history of grants and checks, and the search for checks that violate revocation.
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

namespace consistency {

/// One clock for all threads of the test, so that real-time order is known.
using clock = std::chrono::steady_clock;
using time_point = clock::time_point;

/// A right of a credential, from the end of the call that granted it to the end of one that revoked it.
struct grant {
    /// For reports.
    std::string name;
    time_point granted;

    /// When the first call that would revoke it began.
    std::optional<time_point> revoking;

    /// When such a call returned with success.
    std::optional<time_point> revoked;
};

enum class outcome { accepted, rejected, unknown };

struct check {
    std::size_t grant = 0;
    std::size_t node = 0;
    time_point begin, end;
    consistency::outcome outcome = consistency::outcome::unknown;

    /// The response in short.
    std::string response;
};

struct violation {
    enum class kind_type { late_success, false_rejection };

    kind_type kind;
    consistency::check check;
};

/** Late success: accepted, though the check began after a call that revoked the grant had returned. False
    rejection: rejected, though the check began after the grant and ended before any revoking call began. */
inline std::vector<violation> find_violations(const std::vector<grant>& grants,
                                              const std::vector<check>& checks)
{
    std::vector<violation> out;
    for (auto& each : checks) {
        auto& right = grants[each.grant];
        bool was_revoked = right.revoked && each.begin > *right.revoked;
        bool was_valid = each.begin > right.granted && (!right.revoking || each.end < *right.revoking);
        if (each.outcome == outcome::accepted && was_revoked)
            out.push_back({violation::kind_type::late_success, each});
        if (each.outcome == outcome::rejected && was_valid)
            out.push_back({violation::kind_type::false_rejection, each});
    }
    return out;
}

/// The longest time in which a node decided no check, from `since` on.
inline clock::duration longest_outage(const std::vector<check>& checks, std::size_t node, time_point since,
                                      time_point until)
{
    std::vector<time_point> decided{since, until};
    for (auto& each : checks)
        if (each.node == node && each.outcome != outcome::unknown && each.end > since && each.end < until)
            decided.push_back(each.end);
    std::sort(decided.begin(), decided.end());
    clock::duration out{};
    for (std::size_t i = 1; i < decided.size(); ++i)
        out = std::max(out, decided[i] - decided[i - 1]);
    return out;
}

/// A history that many threads record.
class recorder {
public:
    std::size_t add(grant one)
    {
        std::scoped_lock lock(mutex_);
        grants_.push_back(std::move(one));
        return grants_.size() - 1;
    }

    void begin_revocation(std::size_t of, time_point at)
    {
        std::scoped_lock lock(mutex_);
        if (!grants_[of].revoking)
            grants_[of].revoking = at;
    }

    void end_revocation(std::size_t of, time_point at)
    {
        std::scoped_lock lock(mutex_);
        if (!grants_[of].revoked)
            grants_[of].revoked = at;
    }

    void add(std::vector<check> some)
    {
        std::scoped_lock lock(mutex_);
        checks_.insert(checks_.end(), std::make_move_iterator(some.begin()),
                       std::make_move_iterator(some.end()));
    }

    std::vector<grant> grants() const
    {
        std::scoped_lock lock(mutex_);
        return grants_;
    }

    std::vector<check> checks() const
    {
        std::scoped_lock lock(mutex_);
        return checks_;
    }

private:
    mutable std::mutex mutex_;
    std::vector<grant> grants_;
    std::vector<check> checks_;
};

} // namespace consistency
