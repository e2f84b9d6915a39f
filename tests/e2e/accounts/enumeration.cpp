// Account enumeration: neither responses nor their latency may reveal whether an address has an account.
#include "tests/e2e/support/mail_fixture.hpp"

#include <chrono>
#include <cmath>
#include <functional>
#include <string>
#include <thread>
#include <vector>

using namespace e2e;

namespace {

using milliseconds = std::chrono::duration<double, std::milli>;

/// The latencies of a known and of an unknown address, measured one right after the other.
struct latency_pair {
    milliseconds known, unknown;
};

/** Cliff's delta of paired samples: from -1 (the known address is always faster) over 0 (as often as not) to
    1 (always slower). Neither outliers nor the width of the noise move it.
    @param shift added to every latency of the known address */
double effect_size(const std::vector<latency_pair>& pairs, milliseconds shift = milliseconds(0))
{
    double sum = 0;
    for (auto& one : pairs) {
        auto difference = (one.known + shift - one.unknown).count();
        sum += difference > 0 ? 1 : difference < 0 ? -1 : 0;
    }
    return sum / static_cast<double>(pairs.size());
}

constexpr int samples = 120;

/// More than four standard deviations: without a difference, 120 pairs have a delta of 0 with a deviation of
/// 1 / sqrt(120) = 0.09.
constexpr double largest_effect = 0.4;

using timed_request = std::function<support::response(support::http_client&, const std::string& email)>;

struct endpoint {
    std::string name, known;
    timed_request request;
};

struct measurement {
    std::vector<latency_pair> pairs;
    /// Two responses that are not alike; empty if all are.
    std::string difference;

    /// Whether an additional delay of 10 ms would show: on a loaded machine the noise may hide it.
    bool is_sensitive() const { return effect_size(pairs, milliseconds(10)) > largest_effect; }
};

/// Request with the known and with unknown addresses in turn; each comes first in half of the pairs.
measurement measure(std::uint16_t port, const endpoint& what, int round)
{
    support::http_client client(port);
    measurement out;
    auto timed = [&](const std::string& email, support::response& answer) {
        auto start = std::chrono::steady_clock::now();
        answer = what.request(client, email);
        return milliseconds(std::chrono::steady_clock::now() - start);
    };
    for (int i = -10; i < samples; ++i) { // the first ten warm up
        auto unknown = what.name + std::to_string(round) + "-" + std::to_string(i + 10) + "@example.org";
        support::response known_response, unknown_response;
        latency_pair one;
        if (i % 2 == 0)
            one.known = timed(what.known, known_response);
        one.unknown = timed(unknown, unknown_response);
        if (i % 2 != 0)
            one.known = timed(what.known, known_response);
        if (i >= 0)
            out.pairs.push_back(one);
        if (normalized(known_response) != normalized(unknown_response))
            out.difference = normalized(known_response) + "\n" + normalized(unknown_response);
    }
    return out;
}

/// Measure again, at most five times, as long as noise makes the measurement useless.
measurement measure_sensitively(std::uint16_t port, const endpoint& what)
{
    auto out = measure(port, what, 0);
    for (int round = 1; round < 5 && out.difference.empty() && !out.is_sensitive(); ++round)
        out = measure(port, what, round);
    return out;
}

} // namespace

BOOST_AUTO_TEST_SUITE(enumeration)

BOOST_AUTO_TEST_CASE(latency_does_not_reveal_accounts_after_a_change_of_password_costs)
{
    support::database db;
    const auto master_key = support::random_master_key();
    const std::string cheap = "m=64,t=1,p=1", expensive = "m=65536,t=4,p=1";
    for (auto& [before, after] : {std::pair(cheap, expensive), std::pair(expensive, cheap)}) {
        db.sql("DELETE FROM workspaces; DELETE FROM users");
        {
            support::running_server server(
                db.conninfo(), {{"LATCHKEY_PASSWORD_HASH", before}, {"LATCHKEY_MASTER_KEY", master_key}});
            support::http_client client(server.port());
            for (auto email : {"ada@example.com", "bob@example.com"})
                sign_up(client, email);
        }
        support::running_server server(
            db.conninfo(), {{"LATCHKEY_PASSWORD_HASH", after}, {"LATCHKEY_MASTER_KEY", master_key}});
        support::http_client client(server.port());
        auto timed = [&](const std::string& email) {
            auto start = std::chrono::steady_clock::now();
            BOOST_TEST(client.post(base + "/login", credentials(email, "not the right one")).status == 401u);
            return milliseconds(std::chrono::steady_clock::now() - start).count();
        };
        // The fastest of several, in turns: only noise makes one slower, and more samples take it away.
        auto known = timed("ada@example.com"), unknown = timed("eve@example.com");
        for (int i = 1; i < 7 || (i < 50 && std::abs(known - unknown) >= 30); ++i) {
            known = std::min(known, timed("ada@example.com"));
            unknown = std::min(unknown, timed("eve@example.com"));
        }
        BOOST_TEST(std::abs(known - unknown) < 30, before << ": " << known << " ms, " << unknown << " ms");
        // A login renews the hash.
        log_in(client, "ada@example.com");
        BOOST_TEST(
            db.sql("SELECT split_part(password_hash, '$', 4) FROM users WHERE email = 'ada@example.com'") ==
            after);
    }
}

/// An attacker with the browser and in the network of an account's owner, over the limit on wrong passwords.
BOOST_AUTO_TEST_CASE(over_the_limit_latency_does_not_reveal_known_devices)
{
    support::database db;
    support::running_server server(db.conninfo(), {{"LATCHKEY_PASSWORD_HASH", "m=65536,t=2,p=1"},
                                                   {"LATCHKEY_RATE_LIMIT_PER_MINUTE", "1000"}});
    support::http_client client(server.port());
    client.set("User-Agent", "a common browser");
    sign_up(client, "ada@example.com");
    support::http_client attacker(server.port(), "127.0.0.66");
    for (auto email : {"ada@example.com", "eve@example.com"})
        for (int i = 0; i < 10; ++i)
            BOOST_TEST(attacker.post(base + "/login", credentials(email, "a wrong one")).status == 401u);
    attacker.set("User-Agent", "a common browser");
    std::string of_known, of_unknown;
    auto timed = [&](const std::string& email, std::string& refusal) {
        auto start = std::chrono::steady_clock::now();
        auto answer = attacker.post(base + "/login", credentials(email, "a wrong one"));
        BOOST_TEST(answer.status == 429u);
        refusal = answer.code() + " " + answer.header("RateLimit-Policy");
        return milliseconds(std::chrono::steady_clock::now() - start);
    };
    // The fastest of several: only noise makes one slower. A known device has ten attempts.
    auto known = milliseconds::max(), unknown = milliseconds::max();
    for (int i = 0; i < 8; ++i) {
        known = std::min(known, timed("ada@example.com", of_known));
        unknown = std::min(unknown, timed("eve@example.com", of_unknown));
    }
    BOOST_TEST(of_known == of_unknown);
    BOOST_TEST(std::abs((known - unknown).count()) < 15, known.count()
                                                             << " ms, " << unknown.count() << " ms");
}

BOOST_AUTO_TEST_CASE(responses_and_latency_do_not_reveal_whether_an_address_exists)
{
    mail_fixture fixture(
        {{"LATCHKEY_EMAIL_VERIFICATION", "required"}, {"LATCHKEY_PASSWORD_HASH", "m=1024,t=1,p=1"}});
    auto add_verified = [&](const std::string& email) {
        fixture.post("/signup", credentials(email));
        BOOST_REQUIRE(fixture.verify(fixture.emailed_token(email, verify_subject)).status == 200u);
    };
    auto only_email = [](const std::string& email) { return support::object({{"email", email}}); };
    const std::vector<endpoint> endpoints{
        {"signup", "ada@example.com",
         [](auto& client, auto& email) { return client.post(base + "/signup", credentials(email)); }},
        {"login", "bob@example.com",
         [](auto& client, auto& email) {
             return client.post(base + "/login", credentials(email, "not the right one"));
         }},
        {"forgot", "eve@example.com",
         [&](auto& client, auto& email) {
             return client.post(base + "/password/forgot", only_email(email));
         }},
        {"resend", "mel@example.com", [&](auto& client, auto& email) {
             return client.post(base + "/email/verify/resend", only_email(email));
         }}};
    for (auto& one : endpoints)
        add_verified(one.known);
    // Only an unverified account makes the server send an email for a resend.
    fixture.db.sql("UPDATE users SET email_verified_at = NULL WHERE email = 'mel@example.com'");

    std::vector<measurement> results(endpoints.size());
    std::vector<std::thread> threads; // one connection each
    for (std::size_t i = 0; i < endpoints.size(); ++i)
        threads.emplace_back(
            [&, i] { results[i] = measure_sensitively(fixture.server.port(), endpoints[i]); });
    for (auto& thread : threads)
        thread.join();

    for (std::size_t i = 0; i < endpoints.size(); ++i) {
        auto& [name, known, request] = endpoints[i];
        auto effect = effect_size(results[i].pairs);
        BOOST_TEST_MESSAGE(name << ": effect size " << effect << " over " << samples << " pairs");
        BOOST_TEST(results[i].difference.empty(), name << ": " << results[i].difference);
        BOOST_TEST(std::abs(effect) < largest_effect, name << ": effect size " << effect);
        BOOST_TEST(results[i].is_sensitive(), name << ": the noise would hide a difference");
    }
}

BOOST_AUTO_TEST_SUITE_END()
