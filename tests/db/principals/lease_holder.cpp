// The holder's side of the lease protocol, with a synthetic clock.
#include "db/principals/lease_holder.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <string>
#include <variant>
#include <vector>

using namespace std::chrono_literals;
using holder_type = db::lease_holder;

namespace {

/// A holder that listens, and a manual clock. The database's clock is 100 s behind.
struct holder_fixture {
    /// @return the actions in short
    std::string perform(const holder_type::actions& actions)
    {
        std::string out;
        for (auto& each : actions) {
            if (std::get_if<holder_type::drop_lease>(&each)) {
                until = {};
                out += "drop ";
            } else if (auto grant = std::get_if<holder_type::grant_lease>(&each)) {
                until = grant->until;
                out += "grant ";
            } else if (auto start = std::get_if<holder_type::start_eviction>(&each)) {
                rounds.push_back(start->round);
                out += start->affected.everything ? "empty " : "evict ";
            } else if (auto sent = std::get_if<holder_type::acknowledge>(&each)) {
                acknowledged.insert(acknowledged.end(), sent->changes.begin(), sent->changes.end());
                out += "acknowledge ";
            } else if (auto registers = std::get_if<holder_type::register_node>(&each)) {
                request = registers->request;
                out += "register ";
            } else if (auto renews = std::get_if<holder_type::renew>(&each)) {
                request = renews->request;
                out += "renew ";
            }
        }
        return out;
    }

    std::chrono::microseconds server_time() const
    {
        return std::chrono::floor<std::chrono::microseconds>(now.time_since_epoch() - 100s + server_gain);
    }

    std::string tick() { return perform(holder.tick(now)); }
    std::string renewed() { return perform(holder.renewed(request, server_time(), now)); }

    /// All cores have evicted the oldest round.
    std::string evicted()
    {
        auto round = rounds.front();
        rounds.erase(rounds.begin());
        return perform(holder.evicted(round, now));
    }

    std::string hear(unsigned char credential, unsigned char change = 0)
    {
        holder_type::notice_batch notices;
        if (credential)
            notices.affected.credentials.push_back(id(credential));
        if (change) {
            notices.changes.push_back(id(change));
            notices.origins.push_back(id(99));
        }
        return perform(holder.heard(std::move(notices), now));
    }

    static db::uuid id(unsigned char number)
    {
        db::uuid out{};
        out.data[15] = number;
        return out;
    }

    /// A first lease, from now on.
    void acquire()
    {
        perform(holder.connected());
        perform(holder.listening(now));
        perform(holder.registered(request, 7, server_time(), now));
        evicted();
    }

    bool holds() const { return now < until; }

    holder_type holder{2s};
    db::boot_clock::time_point now{1h}, until{};
    std::chrono::nanoseconds server_gain{0};
    std::uint64_t request = 0;
    std::vector<std::uint64_t> rounds;
    std::vector<db::uuid> acknowledged;
};

} // namespace

BOOST_AUTO_TEST_SUITE(lease_holder)

BOOST_FIXTURE_TEST_CASE(the_first_lease_is_granted_over_empty_caches, holder_fixture)
{
    BOOST_TEST(perform(holder.connected()) == "drop ");
    auto sent = now;
    BOOST_TEST(perform(holder.listening(now)) == "register ");
    now += 30ms;
    BOOST_TEST(perform(holder.registered(request, 7, server_time(), now)) == "empty ");
    now += 30ms;
    BOOST_TEST(evicted() == "grant ");
    BOOST_TEST((until == sent + 1900ms)); // from before it was sent, less a margin
}

BOOST_FIXTURE_TEST_CASE(a_lease_is_renewed_after_a_quarter_and_keeps_the_caches, holder_fixture)
{
    acquire();
    BOOST_TEST(tick() == "");
    BOOST_TEST((holder.wake_at() == now + 500ms));
    now += 500ms;
    BOOST_TEST(tick() == "renew ");
    BOOST_TEST(!holder.wake_at().has_value());
    now += 100ms;
    BOOST_TEST(renewed() == "grant ");
    BOOST_TEST((until == now - 100ms + 1900ms));
}

BOOST_FIXTURE_TEST_CASE(a_lapse_empties_the_caches, holder_fixture)
{
    acquire();
    now += 500ms;
    tick();
    now += 1400ms;
    BOOST_TEST(!holds());
    BOOST_TEST(renewed() == "empty ");
    BOOST_TEST(!holds());
    now += 500ms;
    BOOST_TEST(evicted() == "");
    BOOST_TEST(!holds()); // the renewal has expired, too
    BOOST_TEST(tick() == "renew ");
    BOOST_TEST(renewed() == "empty ");
    BOOST_TEST(evicted() == "grant ");
}

BOOST_FIXTURE_TEST_CASE(an_answer_counts_once_the_notices_before_it_are_applied, holder_fixture)
{
    acquire();
    auto before = until;
    now += 500ms;
    tick();
    BOOST_TEST(hear(1, 11) == "evict ");
    BOOST_TEST(renewed() == "");
    BOOST_TEST((until == before));
    BOOST_TEST(tick() == "");            // and no other renewal is sent
    BOOST_TEST(hear(2, 12) == "evict "); // at once, while the first is being evicted
    BOOST_TEST(evicted() == "acknowledge grant ");
    BOOST_TEST((until == now + 1900ms));
    BOOST_TEST((acknowledged == std::vector{id(11)}));
    BOOST_TEST(evicted() == "acknowledge ");
}

BOOST_FIXTURE_TEST_CASE(a_lapse_while_the_cores_evict_empties_the_caches, holder_fixture)
{
    acquire();
    now += 500ms;
    tick();
    hear(1);
    renewed();
    now += 1400ms;
    BOOST_TEST(evicted() == "empty ");
    BOOST_TEST(evicted() == "grant ");
    BOOST_TEST((until == now - 1400ms + 1900ms));
}

BOOST_FIXTURE_TEST_CASE(changes_are_acknowledged_in_the_order_of_their_notices, holder_fixture)
{
    acquire();
    hear(1);
    BOOST_TEST(hear(0, 11) == ""); // the end of the change of that notice
    hear(2, 12);
    auto first = rounds[0];
    rounds.erase(rounds.begin());
    BOOST_TEST(evicted() == ""); // the later round is faster
    BOOST_TEST(acknowledged.empty());
    BOOST_TEST(perform(holder.evicted(first, now)) == "acknowledge ");
    BOOST_TEST((acknowledged == std::vector{id(11), id(12)}));
}

BOOST_FIXTURE_TEST_CASE(a_fenced_node_drops_its_lease_and_registers_again, holder_fixture)
{
    acquire();
    now += 500ms;
    tick();
    BOOST_TEST(perform(holder.refused(request, now)) == "drop register ");
    BOOST_TEST(!holds());
    BOOST_TEST(perform(holder.registered(request, 8, server_time(), now)) == "empty ");
    BOOST_TEST(evicted() == "grant ");
    BOOST_TEST(holder.current().epoch == 8);
}

BOOST_FIXTURE_TEST_CASE(an_answer_to_an_earlier_request_is_ignored, holder_fixture)
{
    acquire();
    now += 500ms;
    tick();
    auto earlier = request;
    perform(holder.connected());
    perform(holder.listening(now));
    BOOST_TEST(perform(holder.renewed(earlier, server_time(), now)) == "");
    BOOST_TEST(perform(holder.refused(earlier, now)) == "");
    BOOST_TEST(perform(holder.registered(earlier, 9, server_time(), now)) == "");
    BOOST_TEST(!holds());
}

BOOST_FIXTURE_TEST_CASE(a_node_with_a_lease_drops_it_before_it_registers, holder_fixture)
{
    acquire();
    BOOST_TEST(perform(holder.listening(now)) == "drop register ");
    BOOST_TEST(!holds());
    auto earlier = request;
    // Not even an answered registration is granted once another one is sent.
    BOOST_TEST(perform(holder.registered(request, 8, server_time(), now)) == "empty ");
    BOOST_TEST(perform(holder.listening(now)) == "drop register ");
    BOOST_TEST(request > earlier);
    BOOST_TEST(evicted() == "");
    BOOST_TEST(!holds());
}

BOOST_FIXTURE_TEST_CASE(a_failure_uses_up_the_last_request, holder_fixture)
{
    acquire();
    now += 500ms;
    tick();
    perform(holder.failed());
    BOOST_TEST(holder.current().request != request); // so that its late failure is none of the next one
    BOOST_TEST(perform(holder.renewed(request, server_time(), now)) == "");
}

BOOST_FIXTURE_TEST_CASE(a_failure_ends_the_lease_and_forgets_the_rounds, holder_fixture)
{
    acquire();
    hear(1, 11);
    BOOST_TEST(perform(holder.failed()) == "drop ");
    BOOST_TEST(!holds());
    BOOST_TEST(evicted() == "");
    BOOST_TEST(acknowledged.empty());
    BOOST_TEST(!holder.wake_at().has_value());
    acquire();
    BOOST_TEST(holds());
}

// A virtual machine that was paused: its clock has stood still.
BOOST_FIXTURE_TEST_CASE(a_local_clock_that_lost_time_empties_the_caches, holder_fixture)
{
    acquire();
    for (auto lost : {90ms, 110ms, -90ms, -110ms}) {
        now += 500ms;
        tick();
        server_gain += lost;
        auto jumped = lost > 100ms || lost < -100ms;
        BOOST_TEST(renewed() == (jumped ? "drop empty " : "grant "));
        if (jumped)
            BOOST_TEST(evicted() == "grant ");
    }
    // The time that the answers took explains a difference.
    now += 500ms;
    tick();
    now += 400ms;
    server_gain -= 400ms;
    BOOST_TEST(renewed() == "grant ");
}

BOOST_AUTO_TEST_SUITE_END()
