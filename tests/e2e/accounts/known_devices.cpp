// The notice of a sign-in from a new device.
#include "tests/e2e/support/mail_helpers.hpp"
#include "tests/e2e/support/members.hpp"
#include "tests/e2e/support/response_helpers.hpp"

#include <string>

using namespace e2e;

namespace {

const std::string firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
const std::string newer_firefox =
    "Mozilla/5.0 (X11; Linux x86_64; rv:141.0.2) Gecko/20100101 Firefox/141.0.2";
const std::string safari = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 "
                           "(KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1";
const std::string newer_safari =
    "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0_1 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Version/19.0.1 Mobile/15E148 Safari/604.1";

/// Ada has signed up with Firefox and verified her address.
struct devices_fixture {
    devices_fixture()
    {
        client.set("User-Agent", firefox);
        sign_up(client, "ada@example.com");
        verify_address(db, "ada@example.com");
    }

    void sign_in(const std::string& agent)
    {
        client.set("User-Agent", agent);
        log_in(client, "ada@example.com");
    }

    std::size_t notices() const { return count_emails(db, server, "new_sign_in"); }

    support::database db;
    support::running_server server{db.conninfo()};
    support::http_client client{server.port()};
};

} // namespace

BOOST_AUTO_TEST_SUITE(known_devices)

BOOST_FIXTURE_TEST_CASE(the_first_device_sends_no_notice, devices_fixture)
{
    BOOST_TEST(notices() == 0u);
    sign_in(firefox);
    BOOST_TEST(notices() == 0u);
}

BOOST_FIXTURE_TEST_CASE(a_new_device_sends_one_notice, devices_fixture)
{
    sign_in(safari);
    support::mailbox mailbox(server.mail_folder());
    auto message = mailbox.wait_for("ada@example.com", "New sign-in");
    BOOST_REQUIRE(message);
    BOOST_TEST(message->text.find("127.0.0.1 (Safari on iPhone)") != std::string::npos, message->text);
    BOOST_TEST(support::link_in(*message) == "");
    BOOST_TEST(!message->headers.contains("list-unsubscribe"));
    sign_in(safari);
    sign_in(firefox);
    BOOST_TEST(notices() == 1u);
}

BOOST_FIXTURE_TEST_CASE(a_browser_update_is_the_same_device, devices_fixture)
{
    sign_in(newer_firefox);
    BOOST_TEST(notices() == 0u);
    sign_in(safari);
    sign_in(newer_safari);
    BOOST_TEST(notices() == 1u);
}

BOOST_FIXTURE_TEST_CASE(a_failed_login_is_not_a_known_device, devices_fixture)
{
    client.set("User-Agent", safari);
    BOOST_TEST(client.post(base + "/login", credentials("ada@example.com", "not her own")).status == 401u);
    BOOST_TEST(notices() == 0u);
    sign_in(safari);
    BOOST_TEST(notices() == 1u);
}

BOOST_FIXTURE_TEST_CASE(devices_are_tracked_per_user, devices_fixture)
{
    client.set("User-Agent", safari);
    sign_up(client, "bob@example.com");
    BOOST_TEST(notices() == 0u);
    sign_in(safari);
    BOOST_TEST(notices() == 1u);
}

BOOST_AUTO_TEST_SUITE_END()
