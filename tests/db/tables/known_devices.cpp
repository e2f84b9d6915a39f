// Known devices: an email is queued for a sign-in from a new device.
#include "db/tables/known_devices.hpp"

#include "tests/db/database_fixture.hpp"

#include <boost/test/unit_test.hpp>

BOOST_AUTO_TEST_SUITE(known_devices)

namespace {

struct sign_in_fixture : db::test::database_fixture {
    sign_in_fixture() { data.sql("UPDATE users SET email_verified_at = now()"); }

    /// @return the number of queued emails
    int sign_in(const db::uuid& user, const db::digest& agent, const std::string& network = "192.0.2.0/24")
    {
        db::outbox::draft mail;
        mail.id = db::test::new_id();
        mail.kind = db::outbox::kind::new_sign_in;
        mail.variables = R"({"ip": "192.0.2.1"})";
        data.sql("DELETE FROM outbox");
        commit([&](db::batch& work) { db::known_devices::add_record(work, user, {agent, network}, mail); });
        return std::stoi(data.sql("SELECT count(*) FROM outbox"));
    }

    bool is_known(const std::string& email, const db::digest& agent, const std::string& network)
    {
        return run([&] {
            db::known_devices::device used{agent, network};
            return db::known_devices::is_known(one.db, email, used);
        });
    }

    db::digest browser = db::test::new_digest(), telephone = db::test::new_digest();
};

} // namespace

BOOST_FIXTURE_TEST_CASE(the_first_device_queues_no_email, sign_in_fixture)
{
    BOOST_TEST(sign_in(ada, browser) == 0);
    BOOST_TEST(sign_in(ada, browser) == 0);
    BOOST_TEST(sign_in(bob, telephone) == 0); // his first
}

BOOST_FIXTURE_TEST_CASE(a_new_device_queues_one_email, sign_in_fixture)
{
    sign_in(ada, browser);
    BOOST_TEST(sign_in(ada, telephone) == 1);
    BOOST_TEST(data.sql("SELECT recipient || ' ' || kind || ' ' || (variables ->> 'ip') FROM outbox") ==
               "ada@example.org new_sign_in 192.0.2.1");
    BOOST_TEST(sign_in(ada, telephone) == 0);
    BOOST_TEST(sign_in(ada, browser) == 0);
}

BOOST_FIXTURE_TEST_CASE(a_device_is_known_for_one_user_only, sign_in_fixture)
{
    sign_in(ada, browser);
    sign_in(bob, telephone);
    BOOST_TEST(sign_in(bob, browser) == 1);
    BOOST_TEST(sign_in(ada, telephone) == 1);
}

BOOST_FIXTURE_TEST_CASE(a_device_is_recorded_even_if_the_notification_is_off, sign_in_fixture)
{
    sign_in(ada, browser);
    data.sql("UPDATE users SET notifications = '{\"new_sign_in\": {\"email\": false}}'");
    BOOST_TEST(sign_in(ada, telephone) == 0);
    data.sql("UPDATE users SET notifications = '{}'");
    BOOST_TEST(sign_in(ada, telephone) == 0);
}

BOOST_FIXTURE_TEST_CASE(a_sign_in_updates_the_time, sign_in_fixture)
{
    sign_in(ada, browser);
    data.sql("UPDATE known_devices SET seen_at = now() - interval '300 days'");
    sign_in(ada, browser);
    BOOST_TEST(data.sql("SELECT count(*) FROM known_devices WHERE seen_at > now() - interval '1 minute'") ==
               "1");
    BOOST_TEST(data.sql("SELECT count(*) FROM known_devices") == "1");
}

BOOST_FIXTURE_TEST_CASE(a_device_is_recognized_in_every_network_it_was_in, sign_in_fixture)
{
    sign_in(ada, browser, "192.0.2.0/24");
    BOOST_TEST(is_known("ada@example.org", browser, "192.0.2.0/24"));
    BOOST_TEST(!is_known("ada@example.org", browser, "198.51.100.0/24"));
    BOOST_TEST(!is_known("ada@example.org", telephone, "192.0.2.0/24"));
    BOOST_TEST(!is_known("bob@example.org", browser, "192.0.2.0/24"));
    BOOST_TEST(!is_known("unknown@example.org", browser, "192.0.2.0/24"));
    sign_in(ada, browser, "198.51.100.0/24");
    BOOST_TEST(is_known("ada@example.org", browser, "198.51.100.0/24"));
    BOOST_TEST(is_known("ada@example.org", browser, "192.0.2.0/24"));
    BOOST_TEST(data.sql("SELECT count(*) FROM outbox") == "0"); // no new device
    data.sql("DELETE FROM known_devices WHERE network LIKE '198%'");
    data.sql("UPDATE known_devices SET network = ''"); // recorded by an older version
    BOOST_TEST(!is_known("ada@example.org", browser, "192.0.2.0/24"));
    BOOST_TEST(sign_in(ada, browser) == 0);
}

BOOST_FIXTURE_TEST_CASE(the_devices_seen_last_are_kept, sign_in_fixture)
{
    auto network = [](int number) { return "192.0." + std::to_string(number) + ".0/24"; };
    sign_in(bob, browser, "10.0.0.0/24");
    for (int number = 1; number <= 30; ++number) {
        sign_in(ada, browser, network(number));
        sign_in(ada, browser, network(1)); // the office
    }
    BOOST_TEST(data.sql("SELECT count(*) FROM known_devices") ==
               std::to_string(1 + db::known_devices::most_devices));
    BOOST_TEST(is_known("ada@example.org", browser, network(1)));
    BOOST_TEST(is_known("ada@example.org", browser, network(30)));
    BOOST_TEST(is_known("ada@example.org", browser, network(12)));
    BOOST_TEST(!is_known("ada@example.org", browser, network(11)));
    BOOST_TEST(!is_known("ada@example.org", browser, network(2)));
    BOOST_TEST(is_known("bob@example.org", browser, "10.0.0.0/24"));
}

BOOST_AUTO_TEST_SUITE_END()
