// GET /team: members, followed by pending invites.
#include "tests/e2e/support/all_cores.hpp"
#include "tests/e2e/support/invite_fixture.hpp"

#include <string>

using namespace e2e;

namespace {

/// Members Ada, Mel and Bob, and two invites: Zoe as a manager, Yan as a member.
struct team_list_fixture : invite_fixture {
    support::response list(const std::string& query = "") { return list(query, token); }

    support::response list(const std::string& query, const std::string& with)
    {
        return client.get(base + "/team" + query, with);
    }

    std::string emails(const std::string& query = "") { return join(item_texts(list(query), "email")); }

    std::string read_by_pages(int limit, const std::string& filter = "")
    {
        std::vector<std::string> out;
        auto query = "?limit=" + std::to_string(limit) + filter;
        auto total = json_at(list(query), "/total");
        for (auto page = list(query);; page = list(query + "&cursor=" + page.text("/next_cursor"))) {
            BOOST_TEST(item_count(page) <= static_cast<std::size_t>(limit));
            BOOST_TEST(json_at(page, "/total") == total);
            for (auto& email : item_texts(page, "email"))
                out.push_back(email);
            if (json_at(page, "/next_cursor") == "null")
                return join(out);
        }
    }

    std::string zoe = invite_one("zoe@example.org", "manager"), yan = invite_one("Yan@example.org");
};

const std::string members_then_invited =
    "ada@example.com mel@example.com bob@example.com zoe@example.org Yan@example.org";

} // namespace

BOOST_AUTO_TEST_SUITE(team_list)

BOOST_FIXTURE_TEST_CASE(members_and_invites_are_rows_of_one_list, team_list_fixture)
{
    db.sql("UPDATE users SET name = 'Ada L.' WHERE id = '" + user + "'");
    auto page = list();
    BOOST_TEST(page.status == 200u);
    BOOST_TEST(member_names(page) == "items next_cursor total");
    BOOST_TEST(json_at(page, "/total") == "5");
    BOOST_TEST(join(item_texts(page, "email")) == members_then_invited);
    BOOST_TEST(join(item_texts(page, "role")) == "admin manager member manager member");
    BOOST_TEST(join(item_texts(page, "status")) == "active active active pending pending");
    BOOST_TEST(member_names(page, "/items/0") == "user_id email name role is_owner status joined_at");
    BOOST_TEST(page.text("/items/0/user_id") == user);
    BOOST_TEST(page.text("/items/0/name") == "Ada L.");
    BOOST_TEST(json_at(page, "/items/0/is_owner") == "true");
    BOOST_TEST(is_recent(page.text("/items/0/joined_at")));
    BOOST_TEST(json_at(page, "/items/1/is_owner") == "false");
    BOOST_TEST(json_at(page, "/items/1/name") == "null");
    BOOST_TEST(member_names(page, "/items/3") ==
               "user_id email name role is_owner status joined_at invite_id");
    BOOST_TEST(json_at(page, "/items/3/user_id") == "null");
    BOOST_TEST(json_at(page, "/items/3/joined_at") == "null");
    BOOST_TEST(json_at(page, "/items/3/is_owner") == "false");
    BOOST_TEST(page.text("/items/3/invite_id") == zoe);
}

BOOST_FIXTURE_TEST_CASE(all_callers_with_team_read_see_the_same, team_list_fixture)
{
    auto all = list().body;
    for (auto& credential : {mel.token, bob.token, mint(R"({"name":"k","scopes":["team:read"]})"),
                             mint(R"({"name":"w","owner":"workspace","role":"member"})")})
        BOOST_TEST(list("", credential).body == all);
    auto narrow = mint(R"({"name":"k","scopes":["team:invite"]})");
    BOOST_TEST(list("", narrow).text("/required") == "team:read");
    BOOST_TEST(summary(list("", "")) == "401 unauthorized");
    auto eve = sign_up(client, "eve@example.net");
    BOOST_TEST(join(item_texts(list("", eve.token), "email")) == "eve@example.net");
}

BOOST_FIXTURE_TEST_CASE(filters_select_alone_and_combined, team_list_fixture)
{
    BOOST_TEST(emails("?role=admin") == "ada@example.com");
    BOOST_TEST(emails("?role=manager") == "mel@example.com zoe@example.org");
    BOOST_TEST(emails("?status=active") == "ada@example.com mel@example.com bob@example.com");
    BOOST_TEST(emails("?status=pending") == "zoe@example.org Yan@example.org");
    BOOST_TEST(emails("?status=pending&role=member") == "Yan@example.org");
    BOOST_TEST(emails("?status=pending&role=admin") == "");
    BOOST_TEST(emails("?q=example.org") == "zoe@example.org Yan@example.org");
    BOOST_TEST(emails("?q=EXAMPLE.com&role=member") == "bob@example.com");
    BOOST_TEST(emails("?q=yan&status=active") == "");
    BOOST_TEST(emails("?q=yAN&status=pending&role=member") == "Yan@example.org");
    for (auto& [filter, total] : std::vector<std::pair<std::string, std::string>>{{"?role=manager", "2"},
                                                                                  {"?status=active", "3"},
                                                                                  {"?status=pending", "2"},
                                                                                  {"?q=m&role=manager", "2"}})
        BOOST_TEST(json_at(list(filter + "&limit=1"), "/total") == total, filter);
}

BOOST_FIXTURE_TEST_CASE(a_search_text_is_matched_literally_in_names_and_addresses, team_list_fixture)
{
    db.sql("UPDATE users SET name = 'Élodie 100%_\\' WHERE id = '" + bob.user + "'");
    for (std::string text :
         {"%C3%89LODIE", "E%CC%81lodie", "lodie%20100", "100%25", "%25_", "%5C", "bob@", "BOB"})
        BOOST_TEST(emails("?q=" + text) == "bob@example.com", text);
    for (std::string text : {"a%25a", "b_b", "*", ".*", "%27"})
        BOOST_TEST(emails("?q=" + text).empty(), text);
    BOOST_TEST(summary(list("?q=ada%00")) == "400 bad_request");
    BOOST_TEST(validation_errors(list("?q=")) == "query.q string_too_short");
    BOOST_TEST(validation_errors(list("?q=" + std::string(101, 'x'))) == "query.q string_too_long");
    BOOST_TEST(emails("?q=" + std::string(100, 'x')) == "");
}

BOOST_FIXTURE_TEST_CASE(invalid_filters_are_reported, team_list_fixture)
{
    BOOST_TEST(validation_errors(list("?role=owner&status=waiting&limit=many")) ==
               "query.limit int_parsing, query.role enum, query.status enum");
    BOOST_TEST(validation_errors(list("?role=")) == "query.role enum");
    BOOST_TEST(item_count(list("?limit=1000000")) == 5u); // limited to the maximum
}

BOOST_FIXTURE_TEST_CASE(pages_continue_from_members_to_invites, team_list_fixture)
{
    for (int limit = 1; limit <= 6; ++limit)
        BOOST_TEST(read_by_pages(limit) == members_then_invited, limit);
    for (int limit = 1; limit <= 3; ++limit) {
        BOOST_TEST(read_by_pages(limit, "&role=manager") == "mel@example.com zoe@example.org");
        BOOST_TEST(read_by_pages(limit, "&status=active") ==
                   "ada@example.com mel@example.com bob@example.com");
        BOOST_TEST(read_by_pages(limit, "&status=pending") == "zoe@example.org Yan@example.org");
        BOOST_TEST(read_by_pages(limit, "&q=o") == members_then_invited);
        BOOST_TEST(read_by_pages(limit, "&q=o&role=member") == "bob@example.com Yan@example.org");
    }
}

BOOST_FIXTURE_TEST_CASE(a_cursor_is_bound_to_its_list_and_workspace, team_list_fixture)
{
    for (std::string page : {"?limit=1", "?limit=4"}) { // within the members, and within the invites
        auto cursor = "&cursor=" + list(page).text("/next_cursor");
        BOOST_TEST(list("?limit=2" + cursor).status == 200u); // another limit is allowed
        for (std::string query : {"?role=admin", "?role=member", "?status=active", "?status=pending", "?q=a"})
            BOOST_TEST(summary(list(query + cursor)) == "400 invalid_cursor", query);
        BOOST_TEST(summary(list("?limit=1" + cursor, mel.token)) == "400 invalid_cursor");
        BOOST_TEST(summary(list("?limit=1" + cursor + "A")) == "400 invalid_cursor");
        for (std::string path : {"/team/invites?limit=1", "/audit?limit=1", "/team/requests?limit=1"})
            BOOST_TEST(summary(client.get(base + path + cursor, token)) == "400 invalid_cursor", path);

        auto second = client.post(base + "/workspaces", R"({"name":"Second"})", token).text("/id");
        auto there = client.post(base + "/workspaces/" + second + "/switch", "", token).text("/access_token");
        BOOST_TEST(summary(list("?limit=1" + cursor, there)) == "400 invalid_cursor");
    }
    for (std::string forged : {"", "x", "AAAA", "00000000-0000-0000-0000-000000000000"})
        BOOST_TEST(summary(list("?cursor=" + forged)) == "400 invalid_cursor", forged);
    auto filtered = list("?limit=1&role=manager").text("/next_cursor");
    BOOST_TEST(summary(list("?limit=1&cursor=" + filtered)) == "400 invalid_cursor");
    BOOST_TEST(summary(list("?limit=1&role=member&cursor=" + filtered)) == "400 invalid_cursor");
}

BOOST_FIXTURE_TEST_CASE(a_closed_invite_is_not_listed, team_list_fixture)
{
    db.sql("UPDATE invites SET expires_at = now() - interval '1 second' WHERE id = '" + zoe + "'");
    BOOST_TEST(emails("?status=pending") == "Yan@example.org");
    BOOST_TEST(json_at(list(), "/total") == "4");
    BOOST_REQUIRE(client.post(base + "/team/invites/" + zoe + "/resend", "", token).status == 202u);
    BOOST_TEST(emails("?status=pending") == "zoe@example.org Yan@example.org");
    BOOST_REQUIRE(client.del(base + "/team/invites/" + zoe, token).status == 204u);
    auto accepted = accept_with(emailed_token("Yan@example.org"), "long enough");
    BOOST_REQUIRE(accepted.status == 200u);
    BOOST_TEST(emails() == "ada@example.com mel@example.com bob@example.com Yan@example.org");
    BOOST_TEST(emails("?status=pending") == "");
    BOOST_TEST(json_at(list(), "/total") == "4");
}

BOOST_AUTO_TEST_SUITE_END()
