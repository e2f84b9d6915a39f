#include "handlers/access/rate_limiter.hpp"

#include "handlers/access/rate_limits.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <chrono>
#include <deque>
#include <set>
#include <span>
#include <string>
#include <string_view>

using handlers::rate_rule;
using verdict = handlers::rate_limiter::verdict;
using namespace std::chrono_literals;
namespace rate_limits = handlers::rate_limits;

namespace {

struct limited {
    explicit limited(std::size_t slots = 64) : limiter(42, slots) {}

    handlers::rate_limiter limiter;
    rate_rule rule{"login", handlers::rate_table::addresses, 3};
    handlers::rate_limiter::clock::time_point start = handlers::rate_limiter::clock::now();

    static std::span<const std::uint8_t> bytes(std::string_view text)
    {
        return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
    }

    /// Whether a request is admitted at a time since the start.
    bool passes(std::string_view subject, std::chrono::seconds later = 0s)
    {
        return limiter.count(rule, bytes(subject), start + later).verdict == verdict::admitted;
    }

    unsigned passed_of(unsigned tries, std::string_view subject, std::chrono::seconds later = 0s)
    {
        unsigned passed = 0;
        for (unsigned i = 0; i < tries; ++i)
            passed += passes(subject, later);
        return passed;
    }

    /// Count new subjects of every rule until each table is full several times over.
    void flood()
    {
        for (auto& each : rate_limits::all)
            for (int i = 0; i < 200; ++i)
                (void)limiter.count(each, bytes("flood" + std::to_string(++flooded)), start);
    }

    unsigned flooded = 0;
};

} // namespace

BOOST_AUTO_TEST_SUITE(rate_limiter)

BOOST_FIXTURE_TEST_CASE(a_rejection_has_the_time_to_the_next_window, limited)
{
    BOOST_TEST(passed_of(5, "ada") == 3u);
    auto refused = limiter.count(rule, bytes("ada"), start + 20s);
    BOOST_TEST((refused.verdict == verdict::refused));
    BOOST_TEST(refused.retry_after.count() == 40);
    BOOST_TEST(rule.window().count() == 60);
}

BOOST_FIXTURE_TEST_CASE(subjects_and_rules_count_separately, limited)
{
    BOOST_TEST(passed_of(5, "ada") == 3u);
    for (auto other : {"", "a", "ad", "adb", "ada ", "ada@example.com", "Ada"})
        BOOST_TEST(passed_of(5, other) == 3u, other);
    rule.name = "signup";
    BOOST_TEST(passed_of(5, "ada") == 3u);
    rule.name = "log";
    BOOST_TEST(passed_of(5, "inada") == 3u); // the name ends where the subject begins
}

BOOST_FIXTURE_TEST_CASE(a_receipt_takes_a_count_back, limited)
{
    for (int i = 0; i < 10; ++i) {
        auto counted = limiter.count(rule, bytes("ada"), start);
        BOOST_TEST((counted.verdict == verdict::admitted));
        limiter.refund(counted.counted);
    }
    BOOST_TEST(passed_of(10, "ada") == 3u);
    limiter.refund(limiter.count(rule, bytes("ada"), start).counted); // rejected: nothing to take back
    BOOST_TEST(!passes("ada"));
}

BOOST_AUTO_TEST_CASE(nodes_hash_alike_only_with_the_same_seed)
{
    handlers::rate_limiter one(1), same(1), other(2);
    rate_rule rule{"login", handlers::rate_table::addresses, 3};
    auto key = [&](handlers::rate_limiter& of) { return of.count(rule, limited::bytes("ada")).share.key; };
    BOOST_TEST(key(one) == key(same));
    BOOST_TEST(key(one) != key(other));
}

namespace {

/// Nodes that share their limits through a counter as that of db::rate_quotas.
struct cluster {
    explicit cluster(std::size_t size)
    {
        for (std::size_t i = 0; i < size; ++i)
            nodes.emplace_back(42, 64).share_among(size);
    }

    /// Counts on one node, which takes shares as it needs them.
    bool passes(std::size_t node, const rate_rule& rule)
    {
        for (;;) {
            auto out = nodes[node].count(rule, limited::bytes("ada"), start);
            if (out.verdict != verdict::needs_share)
                return out.verdict == verdict::admitted;
            auto left = rule.limit - taken;
            auto share = std::min(left, std::max(left / static_cast<std::uint32_t>(nodes.size()), 1u));
            taken += share;
            ++shares;
            nodes[node].grant(out.share, share, rule.window(), start);
        }
    }

    std::deque<handlers::rate_limiter> nodes;
    handlers::rate_limiter::clock::time_point start = handlers::rate_limiter::clock::now();
    std::uint32_t taken = 0, shares = 0;
};

} // namespace

/// For every rule and several numbers of nodes: a client on one node has its whole limit, one that spreads
/// over all of them at most 1.2 times as much.
BOOST_AUTO_TEST_CASE(nodes_share_every_limit)
{
    for (auto& rule : rate_limits::all)
        for (std::size_t size : {1u, 2u, 3u, 8u, 50u}) {
            cluster alone(size), spread(size);
            unsigned on_one = 0, on_all = 0;
            for (std::uint32_t i = 0; i < rule.limit + 20; ++i)
                on_one += alone.passes(0, rule);
            for (std::uint32_t i = 0; i < (rule.limit + 20) * size; ++i)
                on_all += spread.passes(i % size, rule);
            BOOST_TEST(on_one == rule.limit, rule.name << " on one of " << size);
            BOOST_TEST(on_all <= rule.limit * 1.1, rule.name << " on " << size); // in one window of all nodes
            BOOST_TEST(on_all >= rule.limit, rule.name << " on " << size);
            BOOST_TEST(alone.shares < 60 + 10 * size, rule.name << " on one of " << size);
        }
}

BOOST_AUTO_TEST_CASE(rules_have_names_of_their_own)
{
    std::set<std::string_view> names;
    for (auto& each : rate_limits::all)
        BOOST_TEST(names.insert(each.name).second, each.name);
}

/// For every rule: a subject at its limit stays there, however many others fill its own and all other tables.
BOOST_FIXTURE_TEST_CASE(no_flood_of_other_subjects_makes_a_rule_forget, limited)
{
    for (auto& each : rate_limits::all) {
        limited crowded;
        crowded.rule = each;
        crowded.flood();
        unsigned passed = 0;
        for (std::uint32_t attempt = 0; attempt < each.limit + 20; ++attempt) {
            passed += crowded.passes("ada");
            if (attempt % (each.limit / 10 + 1) == 0)
                crowded.flood();
        }
        BOOST_TEST(passed <= each.limit, each.name);
        BOOST_TEST(crowded.limiter.overflows(each.table) > 0u, each.name);
    }
}

/// For every two rules of a table: those who use up one of them, and its overflow, leave the other one as it
/// is.
BOOST_AUTO_TEST_CASE(no_rule_shuts_out_the_clients_of_another)
{
    for (auto& flooded : rate_limits::all)
        for (auto& used : rate_limits::all) {
            if (flooded.table != used.table || flooded.name == used.name)
                continue;
            limited crowded(8);
            crowded.rule = flooded;
            for (int subject = 0; subject < 100; ++subject)
                crowded.passed_of(flooded.limit, std::to_string(subject));
            crowded.rule = used;
            BOOST_TEST(crowded.passed_of(used.limit + 20, "ada") == used.limit,
                       used.name << " beside " << flooded.name);
        }
}

/// For every rule: without an answer of the database, after some shares have been used or none.
BOOST_AUTO_TEST_CASE(without_an_answer_no_node_starts_over)
{
    for (auto& rule : rate_limits::all)
        for (unsigned shares : {0u, 1u, 3u}) {
            limited node;
            node.limiter.share_among(3);
            unsigned passed = 0, part = std::max(rule.limit / 3, 1u);
            for (unsigned taken = 0;;) {
                auto out = node.limiter.count(rule, limited::bytes("ada"), node.start + 5s);
                passed += out.verdict == verdict::admitted;
                if (out.verdict == verdict::refused)
                    break;
                if (out.verdict == verdict::needs_share && taken++ < shares)
                    node.limiter.grant(out.share, std::max(rule.limit / 5, 1u), 40s, node.start + 5s);
                else if (out.verdict == verdict::needs_share)
                    node.limiter.grant_without_answer(out.share, node.start + 5s);
            }
            auto most = rule.limits_guesses
                            ? std::max(part, shares * std::max(rule.limit / 5, 1u) + part / 10)
                            : rule.limit;
            BOOST_TEST(passed <= most, rule.name << " after " << shares << " shares");
            BOOST_TEST(passed >= (rule.limits_guesses ? part : rule.limit), rule.name);
        }
}

/// For every rule: subjects of other tables do not even crowd it.
BOOST_FIXTURE_TEST_CASE(other_tables_do_not_crowd_a_rule, limited)
{
    for (auto& each : rate_limits::all) {
        limited crowded;
        for (auto& other : rate_limits::all)
            for (int i = 0; other.table != each.table && i < 1000; ++i)
                (void)crowded.limiter.count(other, bytes(std::to_string(i)), crowded.start);
        crowded.rule = each;
        BOOST_TEST(crowded.passed_of(each.limit + 20, "ada") == each.limit, each.name);
        BOOST_TEST(crowded.limiter.overflows(each.table) == 0u, each.name);
    }
}

BOOST_AUTO_TEST_SUITE_END()
