// The recorded history of grants and checks, and the search for checks that violate revocation.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
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

enum class outcome : std::uint8_t { accepted, rejected, unknown };

/// Small, since a history has millions of them.
struct check {
    std::uint32_t grant = 0;
    std::uint16_t node = 0;
    consistency::outcome outcome = consistency::outcome::unknown;

    /// Of the response; 0 if there was none.
    std::uint16_t status = 0;
    time_point begin, end;
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

    /** Add checks in the order of their ends, from one thread of several. Those that ended long enough ago
        are judged and forgotten: what the grants say about them is final. */
    void add(std::vector<check> some)
    {
        std::scoped_lock lock(mutex_);
        checks_ += some.size();
        recent_.push_back(std::move(some));
        auto until = clock::now() - kept;
        while (!recent_.empty() && (recent_.front().empty() || recent_.front().back().end < until))
            judge_oldest();
    }

    std::vector<grant> grants() const
    {
        std::scoped_lock lock(mutex_);
        return grants_;
    }

    /// The checks that ended within the last `kept`, at least.
    std::vector<check> recent() const
    {
        std::scoped_lock lock(mutex_);
        std::vector<check> out;
        for (auto& some : recent_)
            out.insert(out.end(), some.begin(), some.end());
        return out;
    }

    /// The number of checks so far.
    std::uint64_t checks() const { return checks_; }

    struct verdict {
        std::uint64_t checks = 0, accepted = 0, rejected = 0;
        std::vector<violation> violations;
    };

    /// Judge all checks.
    verdict judge()
    {
        std::scoped_lock lock(mutex_);
        while (!recent_.empty())
            judge_oldest();
        return verdict_;
    }

    static constexpr std::chrono::seconds kept{15};

private:
    void judge_oldest()
    {
        auto& checks = recent_.front();
        auto found = find_violations(grants_, checks);
        verdict_.violations.insert(verdict_.violations.end(), found.begin(), found.end());
        verdict_.checks += checks.size();
        for (auto& each : checks) {
            verdict_.accepted += each.outcome == outcome::accepted;
            verdict_.rejected += each.outcome == outcome::rejected;
        }
        recent_.pop_front();
    }

    mutable std::mutex mutex_;
    std::vector<grant> grants_;
    std::deque<std::vector<check>> recent_;
    std::atomic<std::uint64_t> checks_{0};
    verdict verdict_;
};

} // namespace consistency
