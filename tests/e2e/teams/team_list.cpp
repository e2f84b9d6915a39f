// The people of a workspace: those who belong to it, then those invited.
#include "tests/e2e/support/all_cores.hpp"
#include "tests/e2e/support/invite_fixture.hpp"

#include <string>

using namespace flows;

namespace {

/// Ada, Mel and Bob, and two who are invited: Zoe as a manager, Yan as a member.
struct listed : inviting {
    support::response list(const std::string& query = "") { return list(query, token); }

    support::response list(const std::string& query, const std::string& with)
    {
        return client.get(base + "/team" + query, with);
    }

    std::string emails(const std::string& query = "") { return join(texts(list(query), "email")); }

    std::string by_pages_of(int limit, const std::string& filter = "")
    {
        std::vector<std::string> out;
        auto query = "?limit=" + std::to_string(limit) + filter;
        auto total = at(list(query), "/total");
        for (auto page = list(query);; page = list(query + "&cursor=" + page.text("/next_cursor"))) {
            BOOST_TEST(count(page) <= static_cast<std::size_t>(limit));
            BOOST_TEST(at(page, "/total") == total);
            for (auto& email : texts(page, "email"))
                out.push_back(email);
            if (at(page, "/next_cursor") == "null")
                return join(out);
        }
    }

    std::string zoe = invite_one("zoe@example.org", "manager"), yan = invite_one("Yan@example.org");
};

const std::string members_then_invited =
    "ada@example.com mel@example.com bob@example.com zoe@example.org Yan@example.org";

} // namespace

BOOST_AUTO_TEST_SUITE(team_list)

BOOST_FIXTURE_TEST_CASE(a_member_and_an_invite_are_rows_of_one_list, listed)
{
    db.sql("UPDATE users SET name = 'Ada L.' WHERE id = '" + user + "'");
    auto page = list();
    BOOST_TEST(page.status == 200u);
    BOOST_TEST(members(page) == "items next_cursor total");
    BOOST_TEST(at(page, "/total") == "5");
    BOOST_TEST(join(texts(page, "email")) == members_then_invited);
    BOOST_TEST(join(texts(page, "role")) == "admin manager member manager member");
    BOOST_TEST(join(texts(page, "status")) == "active active active pending pending");
    BOOST_TEST(members(page, "/items/0") == "user_id email name role is_owner status joined_at");
    BOOST_TEST(page.text("/items/0/user_id") == user);
    BOOST_TEST(page.text("/items/0/name") == "Ada L.");
    BOOST_TEST(at(page, "/items/0/is_owner") == "true");
    BOOST_TEST(is_recent(page.text("/items/0/joined_at")));
    BOOST_TEST(at(page, "/items/1/is_owner") == "false");
    BOOST_TEST(at(page, "/items/1/name") == "null");
    BOOST_TEST(members(page, "/items/3") == "user_id email name role is_owner status joined_at invite_id");
    BOOST_TEST(at(page, "/items/3/user_id") == "null");
    BOOST_TEST(at(page, "/items/3/joined_at") == "null");
    BOOST_TEST(at(page, "/items/3/is_owner") == "false");
    BOOST_TEST(page.text("/items/3/invite_id") == zoe);
}

BOOST_FIXTURE_TEST_CASE(whoever_may_read_the_team_sees_the_same, listed)
{
    auto all = list().body;
    for (auto& credential : {mel.token, bob.token, mint(R"({"name":"k","scopes":["team:read"]})"),
                             mint(R"({"name":"w","owner":"workspace","role":"member"})")})
        BOOST_TEST(list("", credential).body == all);
    auto narrow = mint(R"({"name":"k","scopes":["team:invite"]})");
    BOOST_TEST(list("", narrow).text("/required") == "team:read");
    BOOST_TEST(verdict(list("", "")) == "401 unauthorized");
    auto eve = sign_up(client, "eve@example.net");
    BOOST_TEST(join(texts(list("", eve.token), "email")) == "eve@example.net");
}

BOOST_FIXTURE_TEST_CASE(filters_choose_alone_and_together, listed)
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
        BOOST_TEST(at(list(filter + "&limit=1"), "/total") == total, filter);
}

BOOST_FIXTURE_TEST_CASE(a_text_is_looked_for_in_names_and_addresses_as_it_is, listed)
{
    db.sql("UPDATE users SET name = 'Élodie 100%_\\' WHERE id = '" + bob.user + "'");
    for (std::string text : {"%C3%89LODIE", "lodie%20100", "100%25", "%25_", "%5C", "bob@", "BOB"})
        BOOST_TEST(emails("?q=" + text) == "bob@example.com", text);
    for (std::string text : {"a%25a", "b_b", "*", ".*", "%27"})
        BOOST_TEST(emails("?q=" + text).empty(), text);
    BOOST_TEST(verdict(list("?q=ada%00")) == "400 bad_request");
    BOOST_TEST(faults(list("?q=")) == "query.q string_too_short");
    BOOST_TEST(faults(list("?q=" + std::string(101, 'x'))) == "query.q string_too_long");
    BOOST_TEST(emails("?q=" + std::string(100, 'x')) == "");
}

BOOST_FIXTURE_TEST_CASE(what_a_filter_can_be_is_told, listed)
{
    BOOST_TEST(faults(list("?role=owner&status=waiting&limit=many")) ==
               "query.limit int_parsing, query.role enum, query.status enum");
    BOOST_TEST(faults(list("?role=")) == "query.role enum");
    BOOST_TEST(count(list("?limit=1000000")) == 5u); // more than the most is the most
}

BOOST_FIXTURE_TEST_CASE(pages_go_on_from_members_to_invites, listed)
{
    for (int limit = 1; limit <= 6; ++limit)
        BOOST_TEST(by_pages_of(limit) == members_then_invited, limit);
    for (int limit = 1; limit <= 3; ++limit) {
        BOOST_TEST(by_pages_of(limit, "&role=manager") == "mel@example.com zoe@example.org");
        BOOST_TEST(by_pages_of(limit, "&status=active") == "ada@example.com mel@example.com bob@example.com");
        BOOST_TEST(by_pages_of(limit, "&status=pending") == "zoe@example.org Yan@example.org");
        BOOST_TEST(by_pages_of(limit, "&q=o") == members_then_invited);
        BOOST_TEST(by_pages_of(limit, "&q=o&role=member") == "bob@example.com Yan@example.org");
    }
}

BOOST_FIXTURE_TEST_CASE(a_cursor_is_good_for_the_list_and_the_caller_that_it_was_made_for, listed)
{
    for (std::string page : {"?limit=1", "?limit=4"}) { // among the members, and among the invites
        auto cursor = "&cursor=" + list(page).text("/next_cursor");
        BOOST_TEST(list("?limit=2" + cursor).status == 200u); // of another length, though
        for (std::string query : {"?role=admin", "?role=member", "?status=active", "?status=pending", "?q=a"})
            BOOST_TEST(verdict(list(query + cursor)) == "400 invalid_cursor", query);
        BOOST_TEST(verdict(list("?limit=1" + cursor, mel.token)) == "400 invalid_cursor");
        BOOST_TEST(verdict(list("?limit=1" + cursor + "A")) == "400 invalid_cursor");
        for (std::string path : {"/team/invites?limit=1", "/audit?limit=1", "/team/requests?limit=1"})
            BOOST_TEST(verdict(client.get(base + path + cursor, token)) == "400 invalid_cursor", path);

        auto second = client.post(base + "/workspaces", R"({"name":"Second"})", token).text("/id");
        auto there = client.post(base + "/workspaces/" + second + "/switch", "", token).text("/access_token");
        BOOST_TEST(verdict(list("?limit=1" + cursor, there)) == "400 invalid_cursor");
    }
    for (std::string forged : {"", "x", "AAAA", "00000000-0000-0000-0000-000000000000"})
        BOOST_TEST(verdict(list("?cursor=" + forged)) == "400 invalid_cursor", forged);
    auto filtered = list("?limit=1&role=manager").text("/next_cursor");
    BOOST_TEST(verdict(list("?limit=1&cursor=" + filtered)) == "400 invalid_cursor");
    BOOST_TEST(verdict(list("?limit=1&role=member&cursor=" + filtered)) == "400 invalid_cursor");
}

BOOST_FIXTURE_TEST_CASE(an_invite_that_is_over_shows_no_more, listed)
{
    db.sql("UPDATE invites SET expires_at = now() - interval '1 second' WHERE id = '" + zoe + "'");
    BOOST_TEST(emails("?status=pending") == "Yan@example.org");
    BOOST_TEST(at(list(), "/total") == "4");
    BOOST_REQUIRE(client.post(base + "/team/invites/" + zoe + "/resend", "", token).status == 202u);
    BOOST_TEST(emails("?status=pending") == "zoe@example.org Yan@example.org");
    BOOST_REQUIRE(client.del(base + "/team/invites/" + zoe, token).status == 204u);
    auto accepted = accept_with(token_to("Yan@example.org"), "long enough");
    BOOST_REQUIRE(accepted.status == 200u);
    BOOST_TEST(emails() == "ada@example.com mel@example.com bob@example.com Yan@example.org");
    BOOST_TEST(emails("?status=pending") == "");
    BOOST_TEST(at(list(), "/total") == "4");
}

BOOST_AUTO_TEST_SUITE_END()
