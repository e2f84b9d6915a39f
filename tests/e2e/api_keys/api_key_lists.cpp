// Lists of keys: by state, page by page.
#include "tests/e2e/support/members.hpp"
#include "tests/e2e/support/response_helpers.hpp"

#include <chrono>
#include <string>
#include <vector>

using namespace flows;
using namespace std::chrono_literals;

namespace {

struct with_keys : two_workspaces {
    support::response list(const std::string& query = "")
    {
        return client.get(base + "/api-keys" + query, token);
    }

    std::string names(const std::string& query = "") { return join(texts(list(query), "name")); }

    void mint_named(const std::string& name) { mint(support::object({{"name", name}})); }

    void revoke(const std::string& key)
    {
        BOOST_REQUIRE(client.del(base + "/api-keys/" + prefix_of(key), token).status == 204u);
    }

    std::string all_by_pages_of(int limit, const std::string& filter = "")
    {
        std::vector<std::string> out;
        auto query = "?limit=" + std::to_string(limit) + filter;
        for (auto page = list(query);; page = list(query + "&cursor=" + page.text("/next_cursor"))) {
            for (auto& name : texts(page, "name"))
                out.push_back(name);
            if (at(page, "/next_cursor") == "null")
                return join(out);
        }
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(api_key_lists)

BOOST_FIXTURE_TEST_CASE(an_item_says_all_but_the_secret, with_keys)
{
    auto none = list();
    BOOST_TEST(none.status == 200u);
    BOOST_TEST(at(none, "") == R"({"items":[],"next_cursor":null,"total":0})");

    auto key = mint(R"({"name":"k","scopes":["content:read"],"expires_at":"2126-01-01T00:00:00Z"})");
    auto page = list();
    BOOST_TEST(members(page) == "items next_cursor total");
    BOOST_TEST(at(page, "/total") == "1");
    BOOST_TEST(members(page, "/items/0") ==
               "id prefix name scopes owner created_at expires_at last_used_at revoked_at");
    BOOST_TEST(is_id(page.text("/items/0/id")));
    BOOST_TEST(page.text("/items/0/prefix") == prefix_of(key));
    BOOST_TEST(page.text("/items/0/name") == "k");
    BOOST_TEST(at(page, "/items/0/scopes") == R"(["content:read"])");
    BOOST_TEST(page.text("/items/0/owner") == "user");
    BOOST_TEST(is_recent(page.text("/items/0/created_at")));
    BOOST_TEST(page.text("/items/0/expires_at") == "2126-01-01T00:00:00.000000Z");
    BOOST_TEST(at(page, "/items/0/last_used_at") == "null");
    BOOST_TEST(at(page, "/items/0/revoked_at") == "null");
    revoke(key);
    BOOST_TEST(is_recent(list().text("/items/0/revoked_at")));
}

BOOST_FIXTURE_TEST_CASE(a_status_chooses, with_keys)
{
    mint_named("living");
    revoke(mint(R"({"name":"revoked"})"));
    auto expired = mint(support::object({{"name", "expired"}, {"expires_at", in(1h)}}));
    mint(support::object({{"name", "mortal"}, {"expires_at", in(1h)}}));
    auto both = mint(support::object({{"name", "both"}, {"expires_at", in(1h)}}));
    revoke(both);
    db.sql("UPDATE api_keys SET expires_at = now() - interval '1 second' WHERE prefix IN ('" +
           prefix_of(expired) + "', '" + prefix_of(both) + "')");
    BOOST_TEST(names() == "both mortal expired revoked living");
    BOOST_TEST(names("?status=active") == "mortal living");
    BOOST_TEST(names("?status=revoked") == "both revoked");
    BOOST_TEST(names("?status=expired") == "expired");
    BOOST_TEST(at(list("?status=active&limit=1"), "/total") == "2");
    for (auto status : {"", "ACTIVE", "gone"})
        BOOST_TEST(faults(list("?status=" + std::string(status))) == "query.status enum", status);
    BOOST_TEST(faults(list("?status=gone&limit=0&cursor=a&cursor=b")) ==
               "query.cursor repeated, query.limit greater_than_equal, query.status enum");
}

BOOST_FIXTURE_TEST_CASE(a_list_comes_in_pages, with_keys)
{
    for (auto name : {"1", "2", "3", "4", "5"})
        mint_named(name);
    for (int limit : {1, 2, 3, 5, 6})
        BOOST_TEST(all_by_pages_of(limit) == "5 4 3 2 1", limit);
    BOOST_TEST(at(list("?limit=2"), "/total") == "5");
    BOOST_TEST(at(list("?limit=5"), "/next_cursor") == "null");
    revoke(mint(R"({"name":"6"})"));
    BOOST_TEST(all_by_pages_of(2, "&status=active") == "5 4 3 2 1");
}

BOOST_FIXTURE_TEST_CASE(a_page_has_fifty_rows_unless_told_and_two_hundred_at_most, with_keys)
{
    db.sql("INSERT INTO api_keys (id, prefix, digest, name, scopes, workspace_id, user_id) "
           "SELECT gen_random_uuid(), 'p' || n, decode(md5(n::text), 'hex'), 'k', '{*}', '" +
           workspace + "', '" + user + "' FROM generate_series(1, 230) n");
    BOOST_TEST(count(list()) == 50u);
    for (auto limit : {"200", "201", "100000"}) {
        auto page = list("?limit=" + std::string(limit));
        BOOST_TEST(count(page) == 200u, limit);
        BOOST_TEST(count(list("?limit=200&cursor=" + page.text("/next_cursor"))) == 30u);
    }
    BOOST_TEST(at(list(), "/total") == "230");
}

BOOST_FIXTURE_TEST_CASE(what_comes_and_goes_between_two_pages_disturbs_neither, with_keys)
{
    for (auto name : {"1", "2", "3", "4", "5"})
        mint_named(name);
    auto first = list("?limit=2&status=active");
    BOOST_TEST(join(texts(first, "name")) == "5 4");
    mint_named("6");
    auto prefixes = texts(list("?status=active"), "prefix");
    for (auto index : {2u, 4u}) // 4, where the next page starts, and 2
        BOOST_TEST(client.del(base + "/api-keys/" + prefixes[index], token).status == 204u);
    BOOST_TEST(names("?status=active") == "6 5 3 1");
    BOOST_TEST(names("?limit=2&status=active&cursor=" + first.text("/next_cursor")) == "3 1");
}

BOOST_FIXTURE_TEST_CASE(only_the_list_that_gave_out_a_cursor_takes_it, with_keys)
{
    for (auto name : {"1", "2", "3"})
        mint_named(name);
    for (auto name : {"a", "b"})
        client.post(base + "/api-keys", support::object({{"name", name}}), eve.token);
    log_in(client, "ada@example.com");
    auto mine = list("?limit=1").text("/next_cursor");
    auto filtered = list("?limit=1&status=active").text("/next_cursor");
    auto hers = client.get(base + "/api-keys?limit=1", eve.token).text("/next_cursor");
    auto of_sessions = client.get(base + "/sessions?limit=1", token).text("/next_cursor");
    BOOST_TEST(names("?cursor=" + mine) == "2 1");
    BOOST_TEST(names("?status=active&cursor=" + filtered) == "2 1");
    auto refused = [&](const std::string& query) { return list(query).code() == "invalid_cursor"; };
    for (auto& cursor : {filtered, hers, of_sessions}) {
        BOOST_TEST_REQUIRE(!cursor.empty());
        BOOST_TEST(refused("?cursor=" + cursor));
    }
    BOOST_TEST(refused("?status=active&cursor=" + mine));
    BOOST_TEST(refused("?status=revoked&cursor=" + filtered));
    for (std::size_t i = 0; i < mine.size(); ++i) {
        auto forged = mine;
        forged[i] = forged[i] == 'A' ? 'B' : 'A';
        BOOST_TEST(refused("?cursor=" + forged), i);
    }
    for (auto nonsense : {"", "x", "null", "0", "%20", "AAAA"})
        BOOST_TEST(refused("?cursor=" + std::string(nonsense)), nonsense);
}

BOOST_FIXTURE_TEST_CASE(a_cursor_is_good_for_another_credential_of_the_same_person, with_keys)
{
    for (auto name : {"1", "2", "3"})
        mint_named(name);
    auto cursor = list("?limit=1").text("/next_cursor");
    auto key = mint(R"({"name":"k"})");
    auto page = client.get(base + "/api-keys?limit=1&cursor=" + cursor, key);
    BOOST_TEST(join(texts(page, "name")) == "2");
}

BOOST_AUTO_TEST_SUITE_END()
