// Reading the trail: filters, pages, and for whom.
#include "tests/e2e/support/all_cores.hpp"
#include "tests/e2e/support/members.hpp"

#include <string>

using namespace flows;

namespace {

/// Ada and Mel, two admins, change the roles of Bob; Eve does as much elsewhere.
struct eventful : team {
    eventful()
    {
        set(token, mel.user, "admin");
        for (int i = 0; i < 3; ++i) {
            set(token, bob.user, "manager");
            set(mel.token, bob.user, "member");
        }
        BOOST_REQUIRE(client.patch(base + "/workspace", R"({"name":"Engines"})", mel.token).status == 200u);
        BOOST_REQUIRE(client.patch(base + "/workspace", R"({"name":"Hers"})", eve.token).status == 200u);
    }

    void set(const std::string& with, const std::string& whom, const std::string& role)
    {
        auto changed = client.patch(base + "/team/" + whom, support::object({{"role", role}}), with);
        BOOST_REQUIRE_MESSAGE(changed.status == 200u, changed.body);
    }

    support::response trail(const std::string& query = "") { return trail(query, token); }

    support::response trail(const std::string& query, const std::string& with)
    {
        return client.get(base + "/audit" + query, with);
    }

    std::string total(const std::string& query) { return at(trail(query), "/total"); }

    std::vector<std::string> by_pages_of(int limit, const std::string& filter = "")
    {
        std::vector<std::string> out;
        auto query = "?limit=" + std::to_string(limit) + filter;
        for (auto page = trail(query);; page = trail(query + "&cursor=" + page.text("/next_cursor"))) {
            for (auto& id : texts(page, "id"))
                out.push_back(id);
            if (at(page, "/next_cursor") == "null")
                return out;
        }
    }

    person eve = sign_up(client, "eve@example.net");
    std::string session = part_of(token, 1).text("/sid"), mels_session = part_of(mel.token, 1).text("/sid");
};

} // namespace

BOOST_AUTO_TEST_SUITE(audit_list)

BOOST_FIXTURE_TEST_CASE(the_newest_come_first, eventful)
{
    auto page = trail();
    BOOST_TEST(page.status == 200u);
    BOOST_TEST(members(page) == "items next_cursor total");
    BOOST_TEST(page.text("/items/0/action") == "workspace.update");
    auto ids = texts(page, "id"), times = texts(page, "at");
    BOOST_TEST(std::ranges::is_sorted(ids, std::greater()));
    BOOST_TEST(std::ranges::is_sorted(times, std::greater()));
    BOOST_TEST(at(page, "/total") == std::to_string(ids.size()));
    BOOST_TEST(page.text("/items/" + std::to_string(ids.size() - 1) + "/action") == "user.signup");
}

BOOST_FIXTURE_TEST_CASE(each_filter_chooses, eventful)
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
    for (auto& item : texts(trail("?actor=" + mel.user), "actor/user_id"))
        BOOST_TEST(item == mel.user);
    for (auto& item : texts(trail("?credential=" + mels_session), "actor/credential"))
        BOOST_TEST(item == mels_session);
}

BOOST_FIXTURE_TEST_CASE(a_time_begins_with_its_instant_and_ends_before_it, eventful)
{
    auto all = trail("?action=team.set_role");
    auto times = texts(all, "at");
    BOOST_TEST(total("?action=team.set_role&since=" + times[2]) == "3");
    BOOST_TEST(total("?action=team.set_role&until=" + times[2]) == "4");
    BOOST_TEST(total("?action=team.set_role&since=" + times[4] + "&until=" + times[2]) == "2");
    BOOST_TEST(total("?since=" + times[2] + "&until=" + times[2]) == "0");
    BOOST_TEST(total("?since=" + in(std::chrono::hours(1))) == "0");
    BOOST_TEST(total("?until=" + in(std::chrono::hours(-1))) == "0");
    BOOST_TEST(total("?since=1970-01-01T00:00:00Z&until=9999-12-31T23:59:59Z") == at(trail(), "/total"));
    BOOST_TEST(total("?target=" + bob.user + "&since=" + times[2]) == "3");
    BOOST_TEST(total("?actor=" + user + "&since=" + times[3] + "&action=team.set_role") == "2");
    BOOST_TEST(total("?credential=" + session + "&since=" + times[3]) == "2");

    // An event is where its time is, whatever clock made its id.
    auto oldest = texts(all, "id").back();
    db.sql("UPDATE audit SET at = now() - interval '3 minutes' WHERE id = '" + oldest + "'");
    BOOST_TEST(total("?action=team.set_role&until=" + in(std::chrono::minutes(-2))) == "1");
    BOOST_TEST(total("?action=team.set_role&since=" + in(std::chrono::minutes(-2))) == "6");
}

BOOST_FIXTURE_TEST_CASE(what_a_filter_can_be_is_told, eventful)
{
    BOOST_TEST(faults(trail("?actor=ada&credential=x&since=yesterday&until=&limit=0&action=&target=" +
                            std::string(129, 'x'))) ==
               "query.action string_too_short, query.actor uuid_parsing, query.credential uuid_parsing, "
               "query.limit greater_than_equal, query.since datetime_parsing, query.target string_too_long, "
               "query.until datetime_parsing");
}

BOOST_FIXTURE_TEST_CASE(pages_show_each_event_once_and_their_cursors_are_for_one_list, eventful)
{
    auto all = texts(trail("?limit=200"), "id");
    BOOST_TEST(all.size() > 10u);
    for (int limit : {1, 3, static_cast<int>(all.size()), static_cast<int>(all.size()) + 1})
        BOOST_TEST(join(by_pages_of(limit)) == join(all), limit);
    auto since = texts(trail("?action=team.set_role"), "at")[4];
    for (std::string filter : {"&action=team.set_role", "&actor=@", "&target=#", "&credential=%", "&since=!",
                               "&target=#&actor=@&since=!", "&action=team.set_role&until=!"}) {
        for (auto& [mark, value] : std::vector<std::pair<char, std::string>>{
                 {'@', user}, {'#', bob.user}, {'%', session}, {'!', since}})
            if (auto place = filter.find(mark); place != std::string::npos)
                filter.replace(place, 1, value);
        auto whole = texts(trail("?limit=200" + filter), "id");
        BOOST_TEST(whole.size() > 1u, filter);
        BOOST_TEST(join(by_pages_of(1, filter)) == join(whole), filter);
    }

    auto cursor = "&cursor=" + trail("?limit=1&action=team.set_role").text("/next_cursor");
    BOOST_TEST(trail("?limit=5&action=team.set_role" + cursor).status == 200u);
    for (auto& query :
         {std::string("?limit=1"), std::string("?action=workspace.update"), "?target=" + bob.user,
          "?action=team.set_role&actor=" + user, "?action=team.set_role&since=" + since})
        BOOST_TEST(verdict(trail(query + cursor)) == "400 invalid_cursor", query);
    BOOST_TEST(verdict(trail("?action=team.set_role" + cursor, mel.token)) == "400 invalid_cursor");
    BOOST_TEST(verdict(trail("?action=team.set_role" + cursor, eve.token)) == "400 invalid_cursor");
    BOOST_TEST(verdict(trail("?action=team.set_role" + cursor + "x")) == "400 invalid_cursor");
    BOOST_TEST(verdict(trail("?cursor=")) == "400 invalid_cursor");
}

BOOST_FIXTURE_TEST_CASE(the_trail_of_another_workspace_never_shows, eventful)
{
    auto hers = trail("", eve.token);
    BOOST_TEST(join(texts(hers, "action")) == "workspace.update user.signup");
    for (auto& query :
         {"?actor=" + user, "?target=" + bob.user, "?credential=" + session, "?target=" + workspace})
        BOOST_TEST(at(trail(query, eve.token), "/total") == "0", query);
    BOOST_TEST(total("?actor=" + eve.user) == "0");
    // What Bob did at home is told there alone: here it is his sign-in to here.
    BOOST_TEST(join(texts(trail("?actor=" + bob.user), "action")) == "session.open");
}

BOOST_FIXTURE_TEST_CASE(only_who_may_read_it_does, eventful)
{
    set(token, bob.user, "manager");
    auto narrow = mint(R"({"name":"k","scopes":["team:read","settings:manage","api_keys:admin"]})");
    for (auto& credential : {bob.token, narrow}) {
        auto refused = trail("", credential);
        BOOST_TEST(verdict(refused) == "403 forbidden_scope");
        BOOST_TEST(refused.text("/required") == "audit:read");
    }
    BOOST_TEST(verdict(trail("", "")) == "401 unauthorized");
    BOOST_TEST(trail("", mint(R"({"name":"k","scopes":["audit:read"]})")).status == 200u);
    BOOST_TEST(trail("", mint(R"({"name":"w","owner":"workspace","role":"admin"})")).status == 200u);
    BOOST_TEST(trail("", mel.token).status == 200u);
}

BOOST_FIXTURE_TEST_CASE(many_are_not_counted, eventful)
{
    db.sql("INSERT INTO audit (id, workspace_id, action, ip, user_agent, request_id) SELECT "
           "gen_random_uuid(), '" +
           workspace + "', 'many', '', '', '' FROM generate_series(1, 1001)");
    BOOST_TEST(at(trail(), "/total") == "");
    BOOST_TEST(members(trail()) == "items next_cursor");
    BOOST_TEST(total("?action=many") == "");
    BOOST_TEST(total("?action=team.set_role") == "7");
    db.sql("DELETE FROM audit WHERE id = (SELECT id FROM audit WHERE action = 'many' LIMIT 1)");
    BOOST_TEST(total("?action=many") == "1000");
}

BOOST_AUTO_TEST_SUITE_END()
