// Explores every schedule of small worlds of the lease protocol: breadth first, so that a counterexample is a
// shortest one.
//
//   lease_model             the small worlds must be free of violations
//   lease_model --all       and the large ones: some minutes and gigabytes
//   lease_model --mutant    in at least one small world a violation must be found
//   lease_model --mutant W  in the world of this name a violation must be found
#include "tests/lease_model/world.hpp"

#include <cstdio>
#include <deque>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

using namespace lease_model;

namespace {

constexpr std::size_t too_many = 6'000'000;

struct first_half {
    std::size_t operator()(const std::array<std::uint64_t, 2>& of) const { return of[0]; }
};

/// The graph of all states that can be reached.
class explorer {
public:
    explicit explorer(const setup& how) : setup_(how) {}

    /// @return what is wrong, with the schedule that leads there; empty if nothing is
    std::string run()
    {
        world first(setup_);
        add(std::move(first), 0, {step::kind_type::tick});
        for (std::size_t at = 0; !frontier_.empty(); ++at) {
            auto from = std::move(frontier_.front());
            frontier_.pop_front();
            if (auto wrong = from.violation())
                return *wrong + trace(at);
            for (auto& each : from.enabled()) {
                auto next = from;
                next.apply(each);
                edges_.emplace_back(static_cast<std::uint32_t>(at), add(std::move(next), at, each));
            }
            if (states() > too_many) {
                is_too_large_ = true;
                return "the world is too large";
            }
        }
        return find_trap();
    }

    /// Whether run() gave up: neither a proof nor a violation.
    bool is_too_large() const { return is_too_large_; }
    std::size_t states() const { return parents_.size(); }
    std::size_t transitions() const { return edges_.size(); }

private:
    std::uint32_t add(world state, std::size_t from, const step& by)
    {
        auto number = static_cast<std::uint32_t>(parents_.size());
        auto [known, is_new] = numbers_.try_emplace(state.fingerprint(), number);
        if (!is_new)
            return known->second;
        parents_.emplace_back(static_cast<std::uint32_t>(from), by);
        finished_.push_back(state.all_acknowledged());
        frontier_.push_back(std::move(state));
        return number;
    }

    /// A state from which the changes cannot all be settled any more: a deadlock, or a cycle without an exit.
    std::string find_trap() const
    {
        std::vector<std::vector<std::uint32_t>> before(states());
        for (auto& [from, to] : edges_)
            before[to].push_back(from);
        std::vector<bool> can_finish(states());
        std::vector<std::uint32_t> open;
        for (std::uint32_t i = 0; i < states(); ++i)
            if (finished_[i]) {
                can_finish[i] = true;
                open.push_back(i);
            }
        while (!open.empty()) {
            auto at = open.back();
            open.pop_back();
            for (auto each : before[at])
                if (!can_finish[each]) {
                    can_finish[each] = true;
                    open.push_back(each);
                }
        }
        for (std::uint32_t i = 0; i < states(); ++i)
            if (!can_finish[i])
                return "a change can never be settled" + trace(i);
        return "";
    }

    std::string trace(std::size_t to) const
    {
        std::vector<std::string> steps;
        for (auto at = to; at != 0; at = parents_[at].first)
            steps.push_back(parents_[at].second.text());
        std::string out;
        for (auto each = steps.rbegin(); each != steps.rend(); ++each)
            out += "\n    " + *each;
        return out;
    }

    setup setup_;
    std::unordered_map<std::array<std::uint64_t, 2>, std::uint32_t, first_half> numbers_;
    std::vector<std::pair<std::uint32_t, step>> parents_;
    std::vector<bool> finished_;
    std::vector<std::pair<std::uint32_t, std::uint32_t>> edges_;
    std::deque<world> frontier_;
    bool is_too_large_ = false;
};

struct named_setup {
    const char* name;
    setup how;
};

std::vector<named_setup> small_worlds()
{
    return {
        {"one revocation", {}},
        {"one revocation, a lost connection", {.lease = 2, .cuts = 1, .begins_registered = false}},
        {"one revocation, a failure of the holder", {.lease = 2, .failures = 1}},
        {"one revocation, a lost connection of the committer",
         {.lease = 2, .cuts = 1, .is_cut = {true, false}}},
        {"one revocation, no acknowledgements",
         {.lease = 2, .reception = recall_tracker::reception::none, .fence_after = 1}},
        {"one revocation, a committer that never hesitates",
         {.lease = 2, .settles_within = 8, .fence_after = 4}},
        {"one revocation, two cores", {.lease = 2, .cores = 2}},
    };
}

/// They take minutes.
std::vector<named_setup> large_worlds()
{
    return {
        {"one revocation, a lost connection, a longer lease", {.cuts = 1}},
        {"one revocation, two cores, a longer lease", {.cores = 2}},
        {"one revocation, fencing, a longer lease", {.fence_after = 1}},
        {"one revocation, a committer that never hesitates, a longer lease",
         {.settles_within = 13, .fence_after = 6}},
        {"one revocation, rows that a renewal returns", {.lease = 2, .observations = 1}},
        {"one revocation, a failed query",
         {.lease = 2, .max_looks = 2, .failures = 1, .is_failing = {true, false}}},
        {"two caches", {.lease = 2, .has_cache = {true, true}}},
        {"two revocations", {.lease = 2, .revocations = {0, 0}}},
    };
}

} // namespace

int main(int argc, char** argv)
{
    auto option = std::string(argc > 1 ? argv[1] : "");
    auto is_mutant = option == "--mutant";
    auto only = std::string(argc > 2 ? argv[2] : "");
    auto worlds = small_worlds();
    if (option == "--all" || !only.empty())
        for (auto& each : large_worlds())
            worlds.push_back(each);
    std::size_t states = 0;
    for (auto& [name, how] : worlds) {
        if (!only.empty() && only != name)
            continue;
        explorer all(how);
        auto wrong = all.run();
        states += all.states();
        std::printf("%s: %zu states, %zu transitions%s%s\n", name, all.states(), all.transitions(),
                    wrong.empty() ? "" : ": ", wrong.c_str());
        std::fflush(stdout);
        if (!wrong.empty())
            return is_mutant && !all.is_too_large() ? 0 : 1;
    }
    std::printf("%zu states without a violation\n", states);
    return is_mutant ? 1 : 0;
}
