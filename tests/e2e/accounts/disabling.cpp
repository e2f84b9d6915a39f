// The `users disable` and `users restore` commands while a server is running.
#include "tests/e2e/support/members.hpp"
#include "tests/e2e/support/response_helpers.hpp"
#include "tests/support/eventually.hpp"

#include <unistd.h>

#include <string>

using namespace e2e;

namespace {

struct operator_fixture : team_fixture {
    /// @return exit code and standard output
    std::pair<int, std::string> run(std::vector<std::string> arguments)
    {
        arguments.insert(arguments.begin(), {support::program_path(), "users"});
        support::environment settings{{"LATCHKEY_DATABASE_URL", db.conninfo()},
                                      {"LATCHKEY_MASTER_KEY", server.master_key()}};
        support::child_process program(std::move(arguments), settings, STDOUT_FILENO);
        auto code = program.wait();
        BOOST_REQUIRE(code);
        return {*code, program.output()};
    }

    /// Whether every core answers 401.
    bool is_rejected_on_all_cores(const std::string& credential) const
    {
        for (int i = 0; i < 8; ++i)
            if (support::http_client(server.port()).get(base + "/me", credential).status != 401)
                return false;
        return true;
    }

    bool is_rejected_eventually(const std::string& credential) const
    {
        return support::eventually([&] { return is_rejected_on_all_cores(credential); });
    }

    void cache_on_all_cores(const std::string& credential) const
    {
        for (int i = 0; i < 8; ++i)
            BOOST_REQUIRE(support::http_client(server.port()).get(base + "/me", credential).status == 200u);
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(disabling)

BOOST_FIXTURE_TEST_CASE(disabling_revokes_all_credentials_in_running_servers, operator_fixture)
{
    auto key = client.post(base + "/api-keys", R"({"name":"k"})", mel.token).text("/secret");
    verify_address(db, "mel@example.com");
    auto asked = client.post(base + "/team/invites",
                             R"({"invites":[{"email":"new@example.org","role":"member"}]})", mel.token);
    BOOST_REQUIRE(asked.status == 201u);
    for (auto& credential : {mel.token, key, bob.token})
        cache_on_all_cores(credential);
    auto [code, output] = run({"disable", "MEL@example.com"});
    BOOST_TEST(code == 0);
    BOOST_TEST(output == "disabled " + mel.user + "\n");
    BOOST_TEST(is_rejected_eventually(mel.token));
    BOOST_TEST(is_rejected_eventually(key));
    BOOST_TEST(client.post(base + "/login", credentials("mel@example.com")).code() == "account_disabled");
    BOOST_TEST(item_count(client.get(base + "/team/invites", token), "/items") == 0u);
    BOOST_TEST(client.get(base + "/me", bob.token).status == 200u);
    auto event = client.get(base + "/audit?action=user.disable", token);
    BOOST_TEST(event.text("/items/0/target") == mel.user);
    BOOST_TEST(event.text("/items/0/user_agent") == "latchkey");
}

BOOST_FIXTURE_TEST_CASE(a_restored_account_has_to_sign_in_again, operator_fixture)
{
    cache_on_all_cores(mel.token);
    BOOST_TEST(run({"disable", "mel@example.com"}).first == 0);
    BOOST_TEST(is_rejected_eventually(mel.token));
    BOOST_TEST(run({"restore", "mel@example.com"}).second == "restored " + mel.user + "\n");
    BOOST_TEST(log_in(client, "mel@example.com").workspace == workspace);
    BOOST_TEST(is_rejected_on_all_cores(mel.token));
}

BOOST_FIXTURE_TEST_CASE(restoring_reclaims_the_address_unless_it_is_taken, operator_fixture)
{
    db.sql("UPDATE users SET disabled_at = now(), email_normalized = 'released/' || id WHERE id = '" +
           bob.user + "'");
    BOOST_TEST(run({"restore", "bob@example.com"}).first == 0);
    BOOST_TEST(log_in(client, "bob@example.com").user == bob.user);

    db.sql("UPDATE users SET disabled_at = now(), email_normalized = 'released/' || id WHERE id = '" +
           bob.user + "'");
    auto other = sign_up(client, "bob@example.com");
    BOOST_TEST(run({"restore", "bob@example.com"}).first == 0);
    BOOST_TEST(log_in(client, "bob@example.com").user == other.user);
}

BOOST_FIXTURE_TEST_CASE(a_command_for_an_unknown_account_fails, operator_fixture)
{
    for (auto what : {"disable", "restore"}) {
        BOOST_TEST(run({what, "unknown@example.com"}).first == 1);
        BOOST_TEST(run({what}).first == 2);
        BOOST_TEST(run({what, "--log-level", "error"}).first == 2);
    }
    BOOST_TEST(run({"restore", "mel@example.com"}).first == 1); // not disabled
}

BOOST_AUTO_TEST_SUITE_END()
