// GET /audit: order, filters, pagination and access.
#include "tests/e2e/support/all_cores.hpp"
#include "tests/e2e/support/members.hpp"

#include <string>

using namespace e2e;

namespace {

/// Events of two admins, Ada and Mel, who change Bob's role, and one of Eve in her own workspace.
struct audit_list_fixture : team_fixture {
    audit_list_fixture()
    {
        set(token, mel.user, "admin");
        for (int i = 0; i < 3; ++i) {
            set(token, bob.user, "manager");
            set(mel.token, bob.user, "member");
        }
        BOOST_REQUIRE(client.patch(base + "/workspace", R"({"name":"Engines"})", mel.token).status == 200u);
        BOOST_REQUIRE(client.patch(base + "/workspace", R"({"name":"Hers"})", eve.token).status == 200u);
    }

    void set(const std::string& with, const std::string& member, const std::string& role)
    {
        auto changed = client.patch(base + "/team/" + member, support::object({{"role", role}}), with);
        BOOST_REQUIRE_MESSAGE(changed.status == 200u, changed.body);
    }

    support::response trail(const std::string& query = "") { return trail(query, token); }

    support::response trail(const std::string& query, const std::string& with)
    {
        return client.get(base + "/audit" + query, with);
    }

    std::string total(const std::string& query) { return json_at(trail(query), "/total"); }

    std::vector<std::string> read_by_pages(int limit, const std::string& filter = "")
    {
        std::vector<std::string> out;
        auto query = "?limit=" + std::to_string(limit) + filter;
        for (auto page = trail(query);; page = trail(query + "&cursor=" + page.text("/next_cursor"))) {
            for (auto& id : item_texts(page, "id"))
                out.push_back(id);
            if (json_at(page, "/next_cursor") == "null")
                return out;
        }
    }

    person eve = sign_up(client, "eve@example.net");
    std::string session = jwt_part(token, 1).text("/sid"), mels_session = jwt_part(mel.token, 1).text("/sid");
};

} // namespace

BOOST_AUTO_TEST_SUITE(audit_list)

BOOST_FIXTURE_TEST_CASE(the_newest_event_comes_first, audit_list_fixture)
{
    auto page = trail();
    BOOST_TEST(page.status == 200u);
    BOOST_TEST(member_names(page) == "items next_cursor total");
    BOOST_TEST(page.text("/items/0/action") == "workspace.update");
    auto ids = item_texts(page, "id"), times = item_texts(page, "at");
    BOOST_TEST(std::ranges::is_sorted(ids, std::greater()));
    BOOST_TEST(std::ranges::is_sorted(times, std::greater()));
    BOOST_TEST(json_at(page, "/total") == std::to_string(ids.size()));
    BOOST_TEST(page.text("/items/" + std::to_string(ids.size() - 1) + "/action") == "user.signup");
}

BOOST_FIXTURE_TEST_CASE(each_filter_selects, audit_list_fixture)
{
    BOOST_TEST(total("?action=team.set_role") == "7");
    BOOST_TEST(total("?action=workspace.update") == "1");
    BOOST_TEST(total("?action=team.set_rol") == "0");
    BOOST_TEST(total("?target=" + bob.user) == "6");
    BOOST_TEST(total("?target=" + mel.user) == "1");
    BOOST_TEST(total("?actor=" + mel.user + "&action=team.set_role") == "3");
    BOOST_TEST(total("?credential=" + mels_session + "&action=team.set_role") == "3");
    BOOST_TEST(total("?credential=" + session + "&target=" + bob.user) == "3");
    BOOST_TEST(total("?actor=" + mel.user + "&target=" + bob.user) == "3");
    BOOST_TEST(total("?actor=" + mel.user + "&credential=" + session) == "0");
    BOOST_TEST(total("?actor=" + user + "&credential=" + session + "&target=" + bob.user +
                     "&action=team.set_role") == "3");
    BOOST_TEST(total("?actor=" + user + "&target=" + bob.user + "&action=workspace.update") == "0");
    for (auto& item : item_texts(trail("?actor=" + mel.user), "actor/user_id"))
        BOOST_TEST(item == mel.user);
    for (auto& item : item_texts(trail("?credential=" + mels_session), "actor/credential"))
        BOOST_TEST(item == mels_session);
}

BOOST_FIXTURE_TEST_CASE(since_is_inclusive_and_until_is_exclusive, audit_list_fixture)
{
    auto all = trail("?action=team.set_role");
    auto times = item_texts(all, "at");
    BOOST_TEST(total("?action=team.set_role&since=" + times[2]) == "3");
    BOOST_TEST(total("?action=team.set_role&until=" + times[2]) == "4");
    BOOST_TEST(total("?action=team.set_role&since=" + times[4] + "&until=" + times[2]) == "2");
    BOOST_TEST(total("?since=" + times[2] + "&until=" + times[2]) == "0");
    BOOST_TEST(total("?since=" + from_now(std::chrono::hours(1))) == "0");
    BOOST_TEST(total("?until=" + from_now(std::chrono::hours(-1))) == "0");
    BOOST_TEST(total("?since=1970-01-01T00:00:00Z&until=9999-12-31T23:59:59Z") == json_at(trail(), "/total"));
    BOOST_TEST(total("?target=" + bob.user + "&since=" + times[2]) == "3");
    BOOST_TEST(total("?actor=" + user + "&since=" + times[3] + "&action=team.set_role") == "2");
    BOOST_TEST(total("?credential=" + session + "&since=" + times[3]) == "2");

    // The order is by time, even where an event's ID was generated by a clock that differs.
    auto oldest = item_texts(all, "id").back();
    db.sql("UPDATE audit SET at = now() - interval '3 minutes' WHERE id = '" + oldest + "'");
    BOOST_TEST(total("?action=team.set_role&until=" + from_now(std::chrono::minutes(-2))) == "1");
    BOOST_TEST(total("?action=team.set_role&since=" + from_now(std::chrono::minutes(-2))) == "6");
}

BOOST_FIXTURE_TEST_CASE(invalid_filters_are_reported, audit_list_fixture)
{
    BOOST_TEST(
        validation_errors(trail("?actor=ada&credential=x&since=yesterday&until=&limit=0&action=&target=" +
                                std::string(129, 'x'))) ==
        "query.action string_too_short, query.actor uuid_parsing, query.credential uuid_parsing, "
        "query.limit greater_than_equal, query.since datetime_parsing, query.target string_too_long, "
        "query.until datetime_parsing");
}

BOOST_FIXTURE_TEST_CASE(pages_show_each_event_once_and_cursors_are_bound_to_one_list, audit_list_fixture)
{
    auto all = item_texts(trail("?limit=200"), "id");
    BOOST_TEST(all.size() > 10u);
    for (int limit : {1, 3, static_cast<int>(all.size()), static_cast<int>(all.size()) + 1})
        BOOST_TEST(join(read_by_pages(limit)) == join(all), limit);
    auto since = item_texts(trail("?action=team.set_role"), "at")[4];
    for (std::string filter : {"&action=team.set_role", "&actor=@", "&target=#", "&credential=%", "&since=!",
                               "&target=#&actor=@&since=!", "&action=team.set_role&until=!"}) {
        for (auto& [mark, value] : std::vector<std::pair<char, std::string>>{
                 {'@', user}, {'#', bob.user}, {'%', session}, {'!', since}})
            if (auto at = filter.find(mark); at != std::string::npos)
                filter.replace(at, 1, value);
        auto whole = item_texts(trail("?limit=200" + filter), "id");
        BOOST_TEST(whole.size() > 1u, filter);
        BOOST_TEST(join(read_by_pages(1, filter)) == join(whole), filter);
    }

    auto cursor = "&cursor=" + trail("?limit=1&action=team.set_role").text("/next_cursor");
    BOOST_TEST(trail("?limit=5&action=team.set_role" + cursor).status == 200u);
    for (auto& query :
         {std::string("?limit=1"), std::string("?action=workspace.update"), "?target=" + bob.user,
          "?action=team.set_role&actor=" + user, "?action=team.set_role&since=" + since})
        BOOST_TEST(summary(trail(query + cursor)) == "400 invalid_cursor", query);
    BOOST_TEST(summary(trail("?action=team.set_role" + cursor, mel.token)) == "400 invalid_cursor");
    BOOST_TEST(summary(trail("?action=team.set_role" + cursor, eve.token)) == "400 invalid_cursor");
    BOOST_TEST(summary(trail("?action=team.set_role" + cursor + "x")) == "400 invalid_cursor");
    BOOST_TEST(summary(trail("?cursor=")) == "400 invalid_cursor");
}

BOOST_FIXTURE_TEST_CASE(events_of_another_workspace_never_show, audit_list_fixture)
{
    auto hers = trail("", eve.token);
    BOOST_TEST(join(item_texts(hers, "action")) == "workspace.update user.signup");
    for (auto& query :
         {"?actor=" + user, "?target=" + bob.user, "?credential=" + session, "?target=" + workspace})
        BOOST_TEST(json_at(trail(query, eve.token), "/total") == "0", query);
    BOOST_TEST(total("?actor=" + eve.user) == "0");
    // Events of Bob's own workspace are recorded there: here only his login to this one.
    BOOST_TEST(join(item_texts(trail("?actor=" + bob.user), "action")) == "session.open");
}

BOOST_FIXTURE_TEST_CASE(reading_requires_the_permission, audit_list_fixture)
{
    set(token, bob.user, "manager");
    auto narrow = mint(R"({"name":"k","scopes":["team:read","settings:manage","api_keys:admin"]})");
    for (auto& credential : {bob.token, narrow}) {
        auto refused = trail("", credential);
        BOOST_TEST(summary(refused) == "403 forbidden_scope");
        BOOST_TEST(refused.text("/required") == "audit:read");
    }
    BOOST_TEST(summary(trail("", "")) == "401 unauthorized");
    BOOST_TEST(trail("", mint(R"({"name":"k","scopes":["audit:read"]})")).status == 200u);
    BOOST_TEST(trail("", mint(R"({"name":"w","owner":"workspace","role":"admin"})")).status == 200u);
    BOOST_TEST(trail("", mel.token).status == 200u);
}

BOOST_FIXTURE_TEST_CASE(the_total_is_omitted_above_a_thousand, audit_list_fixture)
{
    db.sql("INSERT INTO audit (id, workspace_id, action, ip, user_agent, request_id) SELECT "
           "gen_random_uuid(), '" +
           workspace + "', 'many', '', '', '' FROM generate_series(1, 1001)");
    BOOST_TEST(json_at(trail(), "/total") == "");
    BOOST_TEST(member_names(trail()) == "items next_cursor");
    BOOST_TEST(total("?action=many") == "");
    BOOST_TEST(total("?action=team.set_role") == "7");
    db.sql("DELETE FROM audit WHERE id = (SELECT id FROM audit WHERE action = 'many' LIMIT 1)");
    BOOST_TEST(total("?action=many") == "1000");
}

BOOST_AUTO_TEST_SUITE_END()
