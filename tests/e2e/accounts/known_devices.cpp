// A sign-in from where a person has never signed in before is told to them.
#include "tests/e2e/support/mail_helpers.hpp"
#include "tests/e2e/support/members.hpp"
#include "tests/e2e/support/response_helpers.hpp"

#include <string>

using namespace flows;

namespace {

const std::string firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
const std::string newer_firefox =
    "Mozilla/5.0 (X11; Linux x86_64; rv:141.0.2) Gecko/20100101 Firefox/141.0.2";
const std::string safari = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 "
                           "(KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1";
const std::string newer_safari =
    "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0_1 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Version/19.0.1 Mobile/15E148 Safari/604.1";

/// Ada has signed up with Firefox.
struct browsing {
    browsing()
    {
        client.set("User-Agent", firefox);
        sign_up(client, "ada@example.com");
    }

    void sign_in(const std::string& agent)
    {
        client.set("User-Agent", agent);
        log_in(client, "ada@example.com");
    }

    std::size_t told() const { return letters_of(db, server, "new_sign_in"); }

    support::database db;
    support::running_server server{db.conninfo()};
    support::http_client client{server.port()};
};

} // namespace

BOOST_AUTO_TEST_SUITE(known_devices)

BOOST_FIXTURE_TEST_CASE(the_first_is_nothing_new, browsing)
{
    BOOST_TEST(told() == 0u);
    sign_in(firefox);
    BOOST_TEST(told() == 0u);
}

BOOST_FIXTURE_TEST_CASE(one_that_was_not_seen_before_is_told_once, browsing)
{
    sign_in(safari);
    support::mailbox box(server.mail_folder());
    auto letter = box.wait_for("ada@example.com", "New sign-in");
    BOOST_REQUIRE(letter);
    BOOST_TEST(letter->text.find("127.0.0.1 (Safari on iPhone)") != std::string::npos, letter->text);
    BOOST_TEST(support::link_in(*letter) == "");
    BOOST_TEST(!letter->headers.contains("list-unsubscribe"));
    sign_in(safari);
    sign_in(firefox);
    BOOST_TEST(told() == 1u);
}

BOOST_FIXTURE_TEST_CASE(a_newer_version_is_the_same_device, browsing)
{
    sign_in(newer_firefox);
    BOOST_TEST(told() == 0u);
    sign_in(safari);
    sign_in(newer_safari);
    BOOST_TEST(told() == 1u);
}

BOOST_FIXTURE_TEST_CASE(what_did_not_get_in_is_no_sign_in, browsing)
{
    client.set("User-Agent", safari);
    BOOST_TEST(client.post(base + "/login", credentials("ada@example.com", "not her own")).status == 401u);
    BOOST_TEST(told() == 0u);
    sign_in(safari);
    BOOST_TEST(told() == 1u);
}

BOOST_FIXTURE_TEST_CASE(a_device_of_one_person_is_new_to_another, browsing)
{
    client.set("User-Agent", safari);
    sign_up(client, "bob@example.com");
    BOOST_TEST(told() == 0u);
    sign_in(safari);
    BOOST_TEST(told() == 1u);
}

BOOST_AUTO_TEST_SUITE_END()
