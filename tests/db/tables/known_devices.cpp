// A sign-in from what has not been seen before.
#include "db/tables/known_devices.hpp"

#include "tests/db/database_fixture.hpp"

#include <boost/test/unit_test.hpp>

BOOST_AUTO_TEST_SUITE(known_devices)

namespace {

struct signing_in : house::fixture {
    /// @return how many letters it wrote
    int sign_in(const db::uuid& who, const db::digest& agent)
    {
        db::outbox::draft letter;
        letter.id = house::new_id();
        letter.what = db::outbox::kind::new_sign_in;
        letter.facts = R"({"ip": "192.0.2.1"})";
        data.sql("DELETE FROM outbox");
        commit([&](db::batch& work) { db::devices::add_note(work, who, agent, letter); });
        return std::stoi(data.sql("SELECT count(*) FROM outbox"));
    }

    db::digest browser = house::new_digest(), telephone = house::new_digest();
};

} // namespace

BOOST_FIXTURE_TEST_CASE(the_first_device_is_nothing_to_tell_of, signing_in)
{
    BOOST_TEST(sign_in(ada, browser) == 0);
    BOOST_TEST(sign_in(ada, browser) == 0);
    BOOST_TEST(sign_in(bob, telephone) == 0); // his first
}

BOOST_FIXTURE_TEST_CASE(another_is_told_of_once, signing_in)
{
    sign_in(ada, browser);
    BOOST_TEST(sign_in(ada, telephone) == 1);
    BOOST_TEST(data.sql("SELECT recipient || ' ' || kind || ' ' || (facts ->> 'ip') FROM outbox") ==
               "ada@example.org new_sign_in 192.0.2.1");
    BOOST_TEST(sign_in(ada, telephone) == 0);
    BOOST_TEST(sign_in(ada, browser) == 0);
}

BOOST_FIXTURE_TEST_CASE(a_device_is_known_to_one_person_alone, signing_in)
{
    sign_in(ada, browser);
    sign_in(bob, telephone);
    BOOST_TEST(sign_in(bob, browser) == 1);
    BOOST_TEST(sign_in(ada, telephone) == 1);
}

BOOST_FIXTURE_TEST_CASE(who_wants_no_letter_gets_none_and_the_device_is_known_all_the_same, signing_in)
{
    sign_in(ada, browser);
    data.sql("UPDATE users SET notifications = '{\"new_sign_in\": {\"email\": false}}'");
    BOOST_TEST(sign_in(ada, telephone) == 0);
    data.sql("UPDATE users SET notifications = '{}'");
    BOOST_TEST(sign_in(ada, telephone) == 0);
}

BOOST_FIXTURE_TEST_CASE(a_sign_in_is_remembered_with_its_time, signing_in)
{
    sign_in(ada, browser);
    data.sql("UPDATE known_devices SET seen_at = now() - interval '300 days'");
    sign_in(ada, browser);
    BOOST_TEST(data.sql("SELECT count(*) FROM known_devices WHERE seen_at > now() - interval '1 minute'") ==
               "1");
    BOOST_TEST(data.sql("SELECT count(*) FROM known_devices") == "1");
}

BOOST_AUTO_TEST_SUITE_END()
