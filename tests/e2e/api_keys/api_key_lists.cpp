// Lists of API keys: fields, status filter and pagination.
#include "tests/e2e/support/members.hpp"
#include "tests/e2e/support/response_helpers.hpp"
#include "tests/support/forge.hpp"

#include <chrono>
#include <string>
#include <vector>

using namespace e2e;
using namespace std::chrono_literals;

namespace {

struct key_list_fixture : two_workspaces_fixture {
    support::response list(const std::string& query = "")
    {
        return client.get(base + "/api-keys" + query, token);
    }

    std::string names(const std::string& query = "") { return join(item_texts(list(query), "name")); }

    void mint_named(const std::string& name) { mint(support::object({{"name", name}})); }

    void revoke(const std::string& key)
    {
        BOOST_REQUIRE(client.del(base + "/api-keys/" + prefix_of(key), token).status == 204u);
    }

    std::string all_pages(int limit, const std::string& filter = "")
    {
        std::vector<std::string> out;
        auto query = "?limit=" + std::to_string(limit) + filter;
        for (auto page = list(query);; page = list(query + "&cursor=" + page.text("/next_cursor"))) {
            for (auto& name : item_texts(page, "name"))
                out.push_back(name);
            if (json_at(page, "/next_cursor") == "null")
                return join(out);
        }
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(api_key_lists)

BOOST_FIXTURE_TEST_CASE(list_items_have_every_field_but_the_secret, key_list_fixture)
{
    auto none = list();
    BOOST_TEST(none.status == 200u);
    BOOST_TEST(json_at(none, "") == R"({"items":[],"next_cursor":null,"total":0})");

    auto key = mint(R"({"name":"k","scopes":["content:read"],"expires_at":"2126-01-01T00:00:00Z"})");
    auto page = list();
    BOOST_TEST(member_names(page) == "items next_cursor total");
    BOOST_TEST(json_at(page, "/total") == "1");
    BOOST_TEST(member_names(page, "/items/0") ==
               "id prefix name scopes owner created_at expires_at last_used_at revoked_at");
    BOOST_TEST(is_uuid_v7(page.text("/items/0/id")));
    BOOST_TEST(page.text("/items/0/prefix") == prefix_of(key));
    BOOST_TEST(page.text("/items/0/name") == "k");
    BOOST_TEST(json_at(page, "/items/0/scopes") == R"(["content:read"])");
    BOOST_TEST(page.text("/items/0/owner") == "user");
    BOOST_TEST(is_recent(page.text("/items/0/created_at")));
    BOOST_TEST(page.text("/items/0/expires_at") == "2126-01-01T00:00:00.000000Z");
    BOOST_TEST(json_at(page, "/items/0/last_used_at") == "null");
    BOOST_TEST(json_at(page, "/items/0/revoked_at") == "null");
    revoke(key);
    BOOST_TEST(is_recent(list().text("/items/0/revoked_at")));
}

BOOST_FIXTURE_TEST_CASE(lists_filter_by_status, key_list_fixture)
{
    mint_named("living");
    revoke(mint(R"({"name":"revoked"})"));
    auto expired = mint(support::object({{"name", "expired"}, {"expires_at", from_now(1h)}}));
    mint(support::object({{"name", "mortal"}, {"expires_at", from_now(1h)}}));
    auto both = mint(support::object({{"name", "both"}, {"expires_at", from_now(1h)}}));
    revoke(both);
    db.sql("UPDATE api_keys SET expires_at = now() - interval '1 second' WHERE prefix IN ('" +
           prefix_of(expired) + "', '" + prefix_of(both) + "')");
    BOOST_TEST(names() == "both mortal expired revoked living");
    BOOST_TEST(names("?status=active") == "mortal living");
    BOOST_TEST(names("?status=revoked") == "both revoked");
    BOOST_TEST(names("?status=expired") == "expired");
    BOOST_TEST(json_at(list("?status=active&limit=1"), "/total") == "2");
    for (auto status : {"", "ACTIVE", "gone"})
        BOOST_TEST(validation_errors(list("?status=" + std::string(status))) == "query.status enum", status);
    BOOST_TEST(validation_errors(list("?status=gone&limit=0&cursor=a&cursor=b")) ==
               "query.cursor repeated, query.limit greater_than_equal, query.status enum");
}

BOOST_FIXTURE_TEST_CASE(lists_filter_by_expiry, key_list_fixture)
{
    mint_named("living");
    auto mint_until = [this](const char* name, std::chrono::seconds end) {
        return mint(support::object({{"name", name}, {"expires_at", from_now(end)}}));
    };
    auto gone = mint_until("gone", 1h);
    mint_until("today", 2h);
    revoke(mint_until("revoked", 2h));
    mint_until("tomorrow", 30h);
    db.sql("UPDATE api_keys SET expires_at = now() - interval '1 second' WHERE prefix = '" + prefix_of(gone) +
           "'");
    auto before = [](std::chrono::seconds end) { return "?expires_before=" + from_now(end); };
    BOOST_TEST(names(before(1h)) == "");
    BOOST_TEST(names(before(3h)) == "today");
    BOOST_TEST(names(before(48h)) == "tomorrow today");
    BOOST_TEST(names(before(48h) + "&status=active") == "tomorrow today");
    BOOST_TEST(json_at(list(before(48h) + "&limit=1"), "/total") == "2");

    auto end = before(48h);
    auto first = list(end + "&limit=1");
    BOOST_TEST(names(end + "&limit=1&cursor=" + first.text("/next_cursor")) == "today");
    // A cursor is for the list that it was issued for.
    BOOST_TEST(list(before(47h) + "&cursor=" + first.text("/next_cursor")).code() == "invalid_cursor");
    BOOST_TEST(list("?cursor=" + first.text("/next_cursor")).code() == "invalid_cursor");

    auto team = [this](const std::string& query) {
        return client.get(base + "/team/api-keys" + query, token);
    };
    BOOST_TEST(join(item_texts(team(end), "name")) == "tomorrow today");
    BOOST_TEST(json_at(team(end + "&limit=1"), "/total") == "2");
    for (auto status : {"expired", "revoked"}) {
        BOOST_TEST(validation_errors(list(end + "&status=" + status)) == "query.expires_before value_error");
        BOOST_TEST(validation_errors(team(end + "&status=" + status)) == "query.expires_before value_error");
    }
    for (auto wrong : {"", "soon", "2026-13-01T00:00:00Z"})
        BOOST_TEST(list("?expires_before=" + std::string(wrong)).status == 422u, wrong);
}

BOOST_FIXTURE_TEST_CASE(lists_are_paginated, key_list_fixture)
{
    for (auto name : {"1", "2", "3", "4", "5"})
        mint_named(name);
    for (int limit : {1, 2, 3, 5, 6})
        BOOST_TEST(all_pages(limit) == "5 4 3 2 1", limit);
    BOOST_TEST(json_at(list("?limit=2"), "/total") == "5");
    BOOST_TEST(json_at(list("?limit=5"), "/next_cursor") == "null");
    revoke(mint(R"({"name":"6"})"));
    BOOST_TEST(all_pages(2, "&status=active") == "5 4 3 2 1");
}

BOOST_FIXTURE_TEST_CASE(the_default_page_size_is_50_and_the_maximum_200, key_list_fixture)
{
    db.sql("INSERT INTO api_keys (id, prefix, digest, name, scopes, workspace_id, user_id) "
           "SELECT gen_random_uuid(), 'p' || n, decode(md5(n::text), 'hex'), 'k', '{*}', '" +
           workspace + "', '" + user + "' FROM generate_series(1, 230) n");
    BOOST_TEST(item_count(list()) == 50u);
    for (auto limit : {"200", "201", "100000"}) {
        auto page = list("?limit=" + std::string(limit));
        BOOST_TEST(item_count(page) == 200u, limit);
        BOOST_TEST(item_count(list("?limit=200&cursor=" + page.text("/next_cursor"))) == 30u);
    }
    BOOST_TEST(json_at(list(), "/total") == "230");
}

BOOST_FIXTURE_TEST_CASE(changes_between_pages_do_not_disturb_pagination, key_list_fixture)
{
    for (auto name : {"1", "2", "3", "4", "5"})
        mint_named(name);
    auto first = list("?limit=2&status=active");
    BOOST_TEST(join(item_texts(first, "name")) == "5 4");
    mint_named("6");
    auto prefixes = item_texts(list("?status=active"), "prefix");
    for (auto index : {2u, 4u}) // the second page starts at 4
        BOOST_TEST(client.del(base + "/api-keys/" + prefixes[index], token).status == 204u);
    BOOST_TEST(names("?status=active") == "6 5 3 1");
    BOOST_TEST(names("?limit=2&status=active&cursor=" + first.text("/next_cursor")) == "3 1");
}

BOOST_FIXTURE_TEST_CASE(a_cursor_is_bound_to_its_list, key_list_fixture)
{
    for (auto name : {"1", "2", "3"})
        mint_named(name);
    for (auto name : {"a", "b"})
        client.post(base + "/api-keys", support::object({{"name", name}}), eve.token);
    log_in(client, "ada@example.com");
    auto mine = list("?limit=1").text("/next_cursor");
    auto filtered = list("?limit=1&status=active").text("/next_cursor");
    auto of_eve = client.get(base + "/api-keys?limit=1", eve.token).text("/next_cursor");
    auto of_sessions = client.get(base + "/sessions?limit=1", token).text("/next_cursor");
    BOOST_TEST(names("?cursor=" + mine) == "2 1");
    BOOST_TEST(names("?status=active&cursor=" + filtered) == "2 1");
    auto refused = [&](const std::string& query) { return list(query).code() == "invalid_cursor"; };
    for (auto& cursor : {filtered, of_eve, of_sessions}) {
        BOOST_TEST_REQUIRE(!cursor.empty());
        BOOST_TEST(refused("?cursor=" + cursor));
    }
    BOOST_TEST(refused("?status=active&cursor=" + mine));
    BOOST_TEST(refused("?status=revoked&cursor=" + filtered));
    for (std::size_t i = 0; i < mine.size(); ++i) {
        BOOST_TEST(refused("?cursor=" + support::forge(mine, i)), i);
    }
    for (auto nonsense : {"", "x", "null", "0", "%20", "AAAA"})
        BOOST_TEST(refused("?cursor=" + std::string(nonsense)), nonsense);
}

BOOST_FIXTURE_TEST_CASE(a_cursor_works_with_another_credential_of_the_same_user, key_list_fixture)
{
    for (auto name : {"1", "2", "3"})
        mint_named(name);
    auto cursor = list("?limit=1").text("/next_cursor");
    auto key = mint(R"({"name":"k"})");
    auto page = client.get(base + "/api-keys?limit=1&cursor=" + cursor, key);
    BOOST_TEST(join(item_texts(page, "name")) == "2");
}

BOOST_AUTO_TEST_SUITE_END()
