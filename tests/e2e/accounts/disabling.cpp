// What the operator does to an account, with the server running beside.
#include "tests/e2e/support/members.hpp"
#include "tests/e2e/support/response_helpers.hpp"
#include "tests/support/eventually.hpp"

#include <unistd.h>

#include <string>

using namespace flows;

namespace {

struct operated : team {
    /// @return the exit code, and what the program said
    std::pair<int, std::string> run(std::vector<std::string> words)
    {
        words.insert(words.begin(), {support::program_path(), "users"});
        support::environment settings{{"LATCHKEY_DATABASE_URL", db.conninfo()},
                                      {"LATCHKEY_MASTER_KEY", server.master_key()}};
        support::child_process program(std::move(words), settings, STDOUT_FILENO);
        auto code = program.wait(std::chrono::seconds(20));
        BOOST_REQUIRE(code);
        return {*code, program.written()};
    }

    /// Whether every core refuses the credential.
    bool is_refused_everywhere(const std::string& credential) const
    {
        for (int i = 0; i < 8; ++i)
            if (support::http_client(server.port()).get(base + "/me", credential).status != 401)
                return false;
        return true;
    }

    bool is_soon_refused(const std::string& credential) const
    {
        return support::eventually(std::chrono::seconds(5),
                                   [&] { return is_refused_everywhere(credential); });
    }

    void warm(const std::string& credential) const
    {
        for (int i = 0; i < 8; ++i)
            BOOST_REQUIRE(support::http_client(server.port()).get(base + "/me", credential).status == 200u);
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(disabling)

BOOST_FIXTURE_TEST_CASE(all_that_an_account_holds_ends_in_running_servers_too, operated)
{
    auto key = client.post(base + "/api-keys", R"({"name":"k"})", mel.token).text("/secret");
    auto asked = client.post(base + "/team/invites",
                             R"({"invites":[{"email":"new@example.org","role":"member"}]})", mel.token);
    BOOST_REQUIRE(asked.status == 201u);
    for (auto& credential : {mel.token, key, bob.token})
        warm(credential);
    auto [code, said] = run({"disable", "MEL@example.com"});
    BOOST_TEST(code == 0);
    BOOST_TEST(said == "disabled " + mel.user + "\n");
    BOOST_TEST(is_soon_refused(mel.token));
    BOOST_TEST(is_soon_refused(key));
    BOOST_TEST(client.post(base + "/login", credentials("mel@example.com")).code() == "account_disabled");
    BOOST_TEST(count(client.get(base + "/team/invites", token), "/items") == 0u);
    BOOST_TEST(client.get(base + "/me", bob.token).status == 200u);
    auto noted = client.get(base + "/audit?action=user.disable", token);
    BOOST_TEST(noted.text("/items/0/target") == mel.user);
    BOOST_TEST(noted.text("/items/0/user_agent") == "latchkey");
}

BOOST_FIXTURE_TEST_CASE(a_restored_account_signs_in_again_and_has_to, operated)
{
    warm(mel.token);
    BOOST_TEST(run({"disable", "mel@example.com"}).first == 0);
    BOOST_TEST(is_soon_refused(mel.token));
    BOOST_TEST(run({"restore", "mel@example.com"}).second == "restored " + mel.user + "\n");
    BOOST_TEST(log_in(client, "mel@example.com").workspace == workspace);
    BOOST_TEST(is_refused_everywhere(mel.token));
}

BOOST_FIXTURE_TEST_CASE(an_address_that_was_given_up_comes_back_unless_it_is_taken, operated)
{
    db.sql("UPDATE users SET disabled_at = now(), email_normalized = 'vacated/' || id WHERE id = '" +
           bob.user + "'");
    BOOST_TEST(run({"restore", "bob@example.com"}).first == 0);
    BOOST_TEST(log_in(client, "bob@example.com").user == bob.user);

    db.sql("UPDATE users SET disabled_at = now(), email_normalized = 'vacated/' || id WHERE id = '" +
           bob.user + "'");
    auto other = sign_up(client, "bob@example.com");
    BOOST_TEST(run({"restore", "bob@example.com"}).first == 0);
    BOOST_TEST(log_in(client, "bob@example.com").user == other.user);
}

BOOST_FIXTURE_TEST_CASE(a_command_that_finds_nobody_fails, operated)
{
    for (auto what : {"disable", "restore"}) {
        BOOST_TEST(run({what, "nobody@example.com"}).first == 1);
        BOOST_TEST(run({what}).first == 2);
        BOOST_TEST(run({what, "--log-level", "error"}).first == 2);
    }
    BOOST_TEST(run({"restore", "mel@example.com"}).first == 1); // not disabled
}

BOOST_AUTO_TEST_SUITE_END()
