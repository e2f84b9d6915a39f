// Credentials that have ended already: they can still end their session, and ending them again waits for all
// nodes.
#include "tests/e2e/support/all_cores.hpp"
#include "tests/e2e/support/browser_session.hpp"
#include "tests/e2e/support/members.hpp"
#include "tests/e2e/support/response_helpers.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/forge.hpp"

#include <chrono>
#include <functional>
#include <string>
#include <utility>

using namespace e2e;

namespace {

struct ended_tokens_fixture : team_fixture {
    using team_fixture::team_fixture;

    support::response revoke(const std::string& subject)
    {
        support::http::request<support::http::string_body> message(support::http::verb::post,
                                                                   base + "/revoke", 11);
        message.set(support::http::field::content_type, "application/x-www-form-urlencoded");
        message.body() = "token=" + subject;
        return client.send(std::move(message));
    }

    unsigned refresh(const std::string& refresh_token)
    {
        auto body = support::object({{"refresh_token", refresh_token}});
        return client.post(base + "/token/refresh", body).status;
    }

    /// Time a call while another node holds a lease and acknowledges nothing.
    template <class Call>
    std::chrono::milliseconds with_a_silent_node(Call call)
    {
        db.sql("INSERT INTO nodes (id, epoch, renewals, lease_ms, request) "
               "VALUES (gen_random_uuid(), 1, 1, 2000, 1)");
        auto begin = std::chrono::steady_clock::now();
        call();
        auto took = std::chrono::steady_clock::now() - begin;
        db.sql("DELETE FROM nodes WHERE lease_ms = 2000 AND renewals = 1");
        return std::chrono::duration_cast<std::chrono::milliseconds>(took);
    }
};

/// The access tokens expire after a second.
struct expired_token_fixture : ended_tokens_fixture {
    expired_token_fixture() : ended_tokens_fixture({{"LATCHKEY_ACCESS_TOKEN_TTL", "1"}})
    {
        BOOST_REQUIRE(support::eventually(
            [&] { return client.get(base + "/workspaces", mel.token).code() == "token_expired"; }));
    }
};

constexpr std::chrono::milliseconds half_of_a_lease{1000};

} // namespace

BOOST_AUTO_TEST_SUITE(ended_tokens)

BOOST_FIXTURE_TEST_CASE(an_expired_access_token_logs_out, expired_token_fixture)
{
    BOOST_TEST(client.post(base + "/logout", "", mel.token).status == 204u);
    BOOST_TEST(refresh(mel.refresh_token) == 401u);
    BOOST_TEST(summary(client.post(base + "/logout", "", mel.token)) == "401 unauthorized");
    BOOST_TEST(refresh(bob.refresh_token) == 200u);
}

BOOST_FIXTURE_TEST_CASE(an_expired_access_token_that_no_core_has_cached_logs_out, expired_token_fixture)
{
    auto later = log_in(client, "bob@example.com");
    BOOST_REQUIRE(support::eventually(
        [&] { return client.get(base + "/workspaces", later.token).code() == "token_expired"; }));
    BOOST_TEST(client.post(base + "/logout", "", bob.token).status == 204u);
    BOOST_TEST(refresh(bob.refresh_token) == 401u);
}

BOOST_FIXTURE_TEST_CASE(revoking_an_expired_access_token_ends_its_session, expired_token_fixture)
{
    BOOST_TEST(revoke(mel.token).status == 200u);
    BOOST_TEST(refresh(mel.refresh_token) == 401u);
    BOOST_TEST(refresh(bob.refresh_token) == 200u);
    BOOST_TEST(db.sql("SELECT actor_id FROM audit WHERE action = 'session.revoke'") == mel.user);
}

BOOST_FIXTURE_TEST_CASE(an_expired_access_token_does_nothing_else, expired_token_fixture)
{
    for (auto path : {"/me", "/workspaces", "/sessions", "/team", "/api-keys", "/auth"})
        BOOST_TEST(summary(client.get(base + path, mel.token)) == "401 token_expired", path);
    BOOST_TEST(summary(client.del(base + "/sessions", mel.token)) == "401 token_expired");
    BOOST_TEST(summary(client.post(base + "/api-keys", R"({"name":"k"})", mel.token)) == "401 token_expired");
    BOOST_TEST(refresh(mel.refresh_token) == 200u);
}

BOOST_FIXTURE_TEST_CASE(a_forged_token_ends_no_session, expired_token_fixture)
{
    for (std::size_t at : {mel.token.find('.') / 2, mel.token.find('.') + 9, mel.token.size() - 9}) {
        auto forged = support::forge(mel.token, at);
        BOOST_TEST(summary(client.post(base + "/logout", "", forged)) == "401 unauthorized");
        BOOST_TEST(revoke(forged).status == 200u);
    }
    BOOST_TEST(refresh(mel.refresh_token) == 200u);
}

BOOST_FIXTURE_TEST_CASE(a_repeated_revocation_waits_for_every_node, ended_tokens_fixture)
{
    auto key = mint(R"({"name":"k"})");
    auto reported = support::object({{"key", key}});
    page_browser browser(server.port());
    BOOST_TEST(browser.open(token).status == 204u);
    auto cookie = browser.cookie;
    const std::pair<const char*, std::function<unsigned()>> all[] = {
        {"report", [&] { return client.post(base + "/api-keys/report", reported).status - 2; }},
        {"revoke key", [&] { return revoke(key).status; }},
        {"revoke access token", [&] { return revoke(mel.token).status; }},
        {"revoke refresh token", [&] { return revoke(bob.refresh_token).status; }},
        {"sign a browser out", [&] {
             browser.cookie = cookie;
             return browser.close().status - 4;
         }}};
    for (auto& [name, call] : all) {
        BOOST_TEST(call() == 200u, name); // the first
        unsigned status = 0;
        auto took = with_a_silent_node([&status, &again = call] { status = again(); });
        BOOST_TEST(status == 200u, name);
        BOOST_TEST(took.count() >= half_of_a_lease.count(), name);
    }
}

BOOST_AUTO_TEST_SUITE_END()
