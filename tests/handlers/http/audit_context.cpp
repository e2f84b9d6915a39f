#include "handlers/http/audit_context.hpp"

#include "tests/handlers/handler_fixture.hpp"

#include <boost/test/unit_test.hpp>

#include <string>

using handlers::test::id_of;
namespace http = handlers::http;

BOOST_AUTO_TEST_SUITE(audit_context)

BOOST_FIXTURE_TEST_CASE(events_record_actor_action_and_origin, handlers::test::handler_fixture)
{
    message.set(http::field::user_agent, "engine/1");
    handlers::audit_context audit(as_user(7));
    auto event = audit.event("key.mint");
    BOOST_TEST(event.action == "key.mint");
    BOOST_TEST(event.ip == "203.0.113.7");
    BOOST_TEST(event.user_agent == "engine/1");
    BOOST_TEST(event.request_id == "r1");
    BOOST_TEST((event.workspace_id == id_of(1)));
    BOOST_TEST((event.actor_id == id_of(7)));
    BOOST_TEST((event.credential_id == id_of(100)));
    BOOST_TEST((event.id != audit.event("key.mint").id));
}

BOOST_FIXTURE_TEST_CASE(events_without_a_caller_record_the_origin_only, handlers::test::handler_fixture)
{
    handlers::audit_context audit(as_anonymous());
    auto event = audit.event("key.report");
    BOOST_TEST(event.ip == "203.0.113.7");
    BOOST_TEST(event.user_agent == "");
    BOOST_TEST(!event.workspace_id.has_value());
    BOOST_TEST(!event.actor_id.has_value());
    BOOST_TEST(!event.credential_id.has_value());
}

BOOST_FIXTURE_TEST_CASE(user_agents_are_sanitized, handlers::test::handler_fixture)
{
    message.set(http::field::user_agent, "caf\xC3\xA9\xFF" + std::string(300, 'x'));
    handlers::audit_context audit(as_anonymous());
    BOOST_TEST(audit.agent().starts_with("caf\u00E9\uFFFDx"));
    BOOST_TEST(audit.agent().size() == 256u);
}

BOOST_AUTO_TEST_SUITE_END()
