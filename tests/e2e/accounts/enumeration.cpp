// Whether anything tells a known address from an unknown one: the answers, and the time they take.
#include "tests/e2e/support/mail_fixture.hpp"

#include <chrono>
#include <cmath>
#include <functional>
#include <thread>
#include <vector>

using namespace flows;

namespace {

using milliseconds = std::chrono::duration<double, std::milli>;

/// One question asked of a known and of an unknown address, one right after the other.
struct pair_of_answers {
    milliseconds known, unknown;
};

/** How often the known address took longer than the unknown one asked beside it, from -1 (never) over 0 (as
   often as not) to 1 (always): Cliff's delta for pairs, which neither outliers nor the width of the noise
   move.
    @param shift added to every known one */
double effect_size(const std::vector<pair_of_answers>& pairs, milliseconds shift = milliseconds(0))
{
    double sum = 0;
    for (auto& one : pairs) {
        auto difference = (one.known + shift - one.unknown).count();
        sum += difference > 0 ? 1 : difference < 0 ? -1 : 0;
    }
    return sum / static_cast<double>(pairs.size());
}

constexpr int samples = 120;

/// Of two alike, 120 pairs tell 0 with a standard deviation of 1 / sqrt(120) = 0.09: this is more than four
/// of them.
constexpr double largest_effect = 0.4;

using question = std::function<support::response(support::http_client&, const std::string& email)>;

struct measured {
    std::vector<pair_of_answers> pairs;
    std::string differs; ///< what was told besides the time
};

/** Ask of known and of unknown addresses in turn, the one first as often as the other. */
measured measure(std::uint16_t port, const std::string& known, const question& ask)
{
    support::http_client client(port);
    measured out;
    auto timed = [&](const std::string& email, support::response& answer) {
        auto begun = std::chrono::steady_clock::now();
        answer = ask(client, email);
        return milliseconds(std::chrono::steady_clock::now() - begun);
    };
    for (int i = -10; i < samples; ++i) { // the first ones warm up
        auto unknown = "nobody" + std::to_string(i + 10) + "@example.org";
        support::response to_known, to_unknown;
        pair_of_answers one;
        if (i % 2 == 0)
            one.known = timed(known, to_known);
        one.unknown = timed(unknown, to_unknown);
        if (i % 2 != 0)
            one.known = timed(known, to_known);
        if (i >= 0)
            out.pairs.push_back(one);
        if (comparable(to_known) != comparable(to_unknown))
            out.differs = comparable(to_known) + "\n" + comparable(to_unknown);
    }
    return out;
}

} // namespace

BOOST_AUTO_TEST_SUITE(enumeration)

BOOST_AUTO_TEST_CASE(neither_answer_nor_time_tells_whether_an_address_is_known)
{
    correspondence world(
        {{"LATCHKEY_EMAIL_VERIFICATION", "required"}, {"LATCHKEY_PASSWORD_HASH", "m=1024,t=1,p=1"}});
    auto on_known = [&](const std::string& email) {
        world.post("/signup", credentials(email));
        BOOST_REQUIRE(world.verify(world.token_to(email, verify_subject)).status == 200u);
    };
    auto only_email = [](const std::string& email) { return support::object({{"email", email}}); };
    struct line {
        std::string name, known;
        question ask;
        measured found;
    };
    std::vector<line> lines;
    lines.push_back(
        {"signup",
         "ada@example.com",
         [](auto& client, auto& email) { return client.post(base + "/signup", credentials(email)); },
         {}});
    lines.push_back({"login",
                     "bob@example.com",
                     [](auto& client, auto& email) {
                         return client.post(base + "/login", credentials(email, "not the right one"));
                     },
                     {}});
    lines.push_back(
        {"forgot",
         "eve@example.com",
         [&](auto& client, auto& email) { return client.post(base + "/password/forgot", only_email(email)); },
         {}});
    lines.push_back({"resend",
                     "mel@example.com",
                     [&](auto& client, auto& email) {
                         return client.post(base + "/email/verify/resend", only_email(email));
                     },
                     {}});
    for (auto& one : lines)
        on_known(one.known);
    // A resend has work to do for an account that is not verified yet.
    world.db.sql("UPDATE users SET email_verified_at = NULL WHERE email = 'mel@example.com'");

    std::vector<std::thread> at_once; // each with a connection of its own
    for (auto& one : lines)
        at_once.emplace_back([&] { one.found = measure(world.server.port(), one.known, one.ask); });
    for (auto& thread : at_once)
        thread.join();

    for (auto& one : lines) {
        auto effect = effect_size(one.found.pairs);
        BOOST_TEST_MESSAGE(one.name << ": effect size " << effect << " over " << samples << " pairs");
        BOOST_TEST(one.found.differs.empty(), one.name << ": " << one.found.differs);
        BOOST_TEST(std::abs(effect) < largest_effect, one.name << ": effect size " << effect);
        // The same measurement would show a difference of a few milliseconds.
        BOOST_TEST(effect_size(one.found.pairs, milliseconds(10)) > largest_effect, one.name);
    }
}

BOOST_AUTO_TEST_SUITE_END()
