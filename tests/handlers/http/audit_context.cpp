#include "handlers/http/audit_context.hpp"

#include "tests/handlers/handler_fixture.hpp"

#include <boost/test/unit_test.hpp>

#include <string>

using handlers::test::id_of;
namespace http = handlers::http;

BOOST_AUTO_TEST_SUITE(audit_context)

BOOST_FIXTURE_TEST_CASE(an_event_says_who_did_what_from_where, handlers::test::desk)
{
    message.set(http::field::user_agent, "engine/1");
    handlers::trace from(as_person(7));
    auto event = from.event("key.mint");
    BOOST_TEST(event.action == "key.mint");
    BOOST_TEST(event.ip == "203.0.113.7");
    BOOST_TEST(event.user_agent == "engine/1");
    BOOST_TEST(event.request_id == "r1");
    BOOST_TEST((event.workspace_id == id_of(1)));
    BOOST_TEST((event.actor_id == id_of(7)));
    BOOST_TEST((event.credential_id == id_of(100)));
    BOOST_TEST((event.id != from.event("key.mint").id));
}

BOOST_FIXTURE_TEST_CASE(of_a_stranger_it_says_only_from_where, handlers::test::desk)
{
    handlers::trace from(as_anyone());
    auto event = from.event("key.report");
    BOOST_TEST(event.ip == "203.0.113.7");
    BOOST_TEST(event.user_agent == "");
    BOOST_TEST(!event.workspace_id.has_value());
    BOOST_TEST(!event.actor_id.has_value());
    BOOST_TEST(!event.credential_id.has_value());
}

BOOST_FIXTURE_TEST_CASE(an_agent_is_made_fit_to_be_stored, handlers::test::desk)
{
    message.set(http::field::user_agent, "caf\xC3\xA9\xFF" + std::string(300, 'x'));
    handlers::trace from(as_anyone());
    BOOST_TEST(from.agent().starts_with("caf\u00E9\uFFFDx"));
    BOOST_TEST(from.agent().size() == 256u);
}

BOOST_AUTO_TEST_SUITE_END()
