#include "handlers/access/permissions.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

using db::role;
using handlers::permission_table;

namespace {

const std::vector<std::string> of_members = {"content:read",  "content:write", "profile:read",
                                             "profile:write", "api_keys:read", "api_keys:write",
                                             "team:read"};
const std::vector<std::string> of_managers = {"team:invite"};
const std::vector<std::string> of_admins = {"team:approve",     "team:remove",      "team:roles",
                                            "resources:delete", "settings:manage",  "api_keys:admin",
                                            "audit:read",       "tokens:introspect"};

struct judging {
    permission_table table{{"leads", "deals"}};

    static db::principal session(role as)
    {
        db::principal out;
        out.role = as;
        return out;
    }

    static db::principal key(role as, std::vector<std::string> scopes)
    {
        auto out = session(as);
        out.kind = db::principal::kind_type::api_key;
        out.scopes = std::move(scopes);
        return out;
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(permissions)

BOOST_FIXTURE_TEST_CASE(each_role_grants_its_column_of_the_table, judging)
{
    auto grants = [&](const std::string& permission, bool to_manager, bool to_member) {
        BOOST_TEST(table.role_grants(role::admin, permission), permission);
        BOOST_TEST(table.role_grants(role::manager, permission) == to_manager, permission);
        BOOST_TEST(table.role_grants(role::member, permission) == to_member, permission);
    };
    for (auto& permission : of_members)
        grants(permission, true, true);
    for (auto& permission : of_managers)
        grants(permission, true, false);
    for (auto& permission : of_admins)
        grants(permission, false, false);
}

BOOST_FIXTURE_TEST_CASE(unknown_permissions_are_rejected, judging)
{
    for (auto text : {"", "*", ":", "content", "content:", ":read", "content:*", "*:read", "Content:read",
                      "content:read ", "content:read:all", "no:such", "leads", "leads:", "leads:Write",
                      "leads:*", "leads:write ", "leads:a:b", "calls:read"}) {
        BOOST_TEST(!table.knows(text), text);
        BOOST_TEST(!table.role_grants(role::admin, text), text);
        BOOST_TEST(!table.allows(session(role::admin), text), text);
    }
    BOOST_TEST(table.knows_scope("*"));
    BOOST_TEST(table.knows_scope("content:read"));
    BOOST_TEST(!table.knows_scope("no:such"));
}

BOOST_FIXTURE_TEST_CASE(extra_resources_are_granted_to_every_role, judging)
{
    for (auto permission : {"leads:write", "deals:export_all"}) {
        BOOST_TEST(table.knows(permission));
        BOOST_TEST(table.knows_scope(permission));
        for (auto as : {role::admin, role::manager, role::member})
            BOOST_TEST(table.role_grants(as, permission));
        BOOST_TEST(!permission_table({}).knows(permission));
    }
    BOOST_TEST(table.allows(key(role::member, {"leads:write"}), "leads:write"));
    BOOST_TEST(!table.allows(key(role::member, {"leads:read"}), "leads:write"));
}

BOOST_FIXTURE_TEST_CASE(extra_resources_do_not_grant_builtin_permissions, judging)
{
    permission_table greedy({"team", "api_keys"});
    BOOST_TEST(!greedy.role_grants(role::member, "team:roles"));
    BOOST_TEST(!greedy.role_grants(role::manager, "api_keys:admin"));
}

BOOST_FIXTURE_TEST_CASE(scopes_narrow_a_role_only, judging)
{
    auto narrow = key(role::admin, {"content:read", "team:roles"});
    BOOST_TEST(table.allows(narrow, "content:read"));
    BOOST_TEST(table.allows(narrow, "team:roles"));
    BOOST_TEST(!table.allows(narrow, "content:write"));
    BOOST_TEST(!table.allows(key(role::member, {"team:roles"}), "team:roles"));
    BOOST_TEST(!table.allows(key(role::member, {"*"}), "team:roles"));
    BOOST_TEST(table.allows(key(role::manager, {"*"}), "team:invite"));
    BOOST_TEST(!table.allows(key(role::admin, {}), "content:read"));
}

BOOST_FIXTURE_TEST_CASE(sessions_have_all_permissions_of_their_role, judging)
{
    BOOST_TEST(table.allows(session(role::member), "content:read"));
    BOOST_TEST(!table.allows(session(role::member), "team:invite"));
    BOOST_TEST(table.allows(session(role::admin), "tokens:introspect"));
}

BOOST_FIXTURE_TEST_CASE(without_a_role_nothing_is_allowed, judging)
{
    db::principal outsider;
    BOOST_TEST(!table.allows(outsider, "content:read"));
    outsider.kind = db::principal::kind_type::api_key;
    outsider.scopes = std::vector<std::string>{"*"};
    BOOST_TEST(!table.allows(outsider, "content:read"));
    BOOST_TEST(table.effective(outsider).empty());
}

BOOST_FIXTURE_TEST_CASE(effective_permissions_are_listed, judging)
{
    auto expected = of_members;
    BOOST_TEST(table.effective(session(role::member)) == expected, boost::test_tools::per_element());
    expected.insert(expected.end(), of_managers.begin(), of_managers.end());
    BOOST_TEST(table.effective(session(role::manager)) == expected, boost::test_tools::per_element());
    expected.insert(expected.end(), of_admins.begin(), of_admins.end());
    BOOST_TEST(table.effective(key(role::admin, {"*"})) == expected, boost::test_tools::per_element());
    BOOST_TEST(table.effective(key(role::member, {"team:roles", "team:read"})) ==
                   std::vector<std::string>{"team:read"},
               boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(is_subset_compares_scopes)
{
    auto fits = [](std::vector<std::string> inner, std::vector<std::string> outer) {
        return permission_table::is_subset(inner, outer);
    };
    BOOST_TEST(fits({"content:read"}, {"*"}));
    BOOST_TEST(fits({"*"}, {"*"}));
    BOOST_TEST(fits({"*"}, {"content:read", "*"}));
    BOOST_TEST(fits({"b:b", "a:a"}, {"a:a", "b:b", "c:c"}));
    BOOST_TEST(!fits({"*"}, {"content:read", "content:write"}));
    BOOST_TEST(!fits({"a:a", "d:d"}, {"a:a", "b:b"}));
    BOOST_TEST(!fits({"a:a"}, {}));
}

BOOST_AUTO_TEST_SUITE_END()
