// Usage: what is counted, who sees it, and how it is listed.
#include "tests/e2e/support/members.hpp"
#include "tests/e2e/support/response_helpers.hpp"

#include <optional>
#include <string>
#include <vector>

using namespace e2e;

namespace {

const std::string all_days = base + "/usage?from=2020-01-01&to=2099-12-31";

struct usage_fixture : team_fixture {
    using team_fixture::team_fixture;

    /// Usage is written within a minute, and at the end of a server. Another one reads it.
    support::http_client& after_a_flush()
    {
        BOOST_REQUIRE(server.stop() == 0);
        reader.emplace(db.conninfo(), support::environment{{"LATCHKEY_MASTER_KEY", server.master_key()}});
        return reading.emplace(reader->port());
    }

    std::string mint_as(const std::string& credential, const std::string& scopes = R"(["*"])")
    {
        auto made = client.post(base + "/api-keys", R"({"name":"k","scopes":)" + scopes + "}", credential);
        BOOST_REQUIRE_MESSAGE(made.status == 201u, made.body);
        return made.text("/secret");
    }

    void check(const std::string& key, int times, unsigned status = 200, const std::string& query = {})
    {
        for (int i = 0; i < times; ++i)
            BOOST_TEST_REQUIRE(client.get(base + "/auth" + query, key).status == status);
    }

    /// "checks/refusals/429" of an item.
    static std::string counts(const support::response& listed, const std::string& item)
    {
        return json_at(listed, item + "/checks") + "/" + json_at(listed, item + "/refusals") + "/" +
               json_at(listed, item + "/rate_limited");
    }

    /// The same of a key; empty without a row.
    static std::string of_key(const support::response& listed, const std::string& key)
    {
        BOOST_REQUIRE_MESSAGE(listed.status == 200u, listed.body);
        for (std::size_t i = 0; i < item_count(listed); ++i) {
            auto item = "/items/" + std::to_string(i);
            if (listed.text(item + "/key/prefix") == prefix_of(key))
                return counts(listed, item);
        }
        return {};
    }

    /// Stores a row: of a key of the workspace, or of its sessions.
    void store(const std::string& day, const std::string& key, int checks)
    {
        auto id = key.empty() ? "NULL" : "(SELECT id FROM api_keys WHERE prefix = '" + prefix_of(key) + "')";
        db.sql("INSERT INTO usage_daily VALUES ('" + workspace + "', '" + day + "', " + id + ", " +
               std::to_string(checks) + ", 2, 1)");
    }

    std::optional<support::running_server> reader;
    std::optional<support::http_client> reading;
};

struct limited_fixture : usage_fixture {
    limited_fixture() : usage_fixture({{"LATCHKEY_RATE_LIMIT_PER_MINUTE", "30"}}) {}
};

} // namespace

BOOST_AUTO_TEST_SUITE(usage)

BOOST_FIXTURE_TEST_CASE(checks_and_refusals_are_counted_by_key, usage_fixture)
{
    auto key = mint_as(token), narrow = mint_as(token, R"(["content:read"])"), unused = mint_as(token);
    check(key, 5);
    check(narrow, 3);
    check(narrow, 4, 403, "?permission=team:roles");
    check(narrow, 1, 403, "?permission=team:roles&deny_status=403");
    BOOST_TEST(client.get(base + "/team", narrow).status == 403u); // of the API itself
    BOOST_TEST(client.get(base + "/workspace", key).status == 200u);
    check("tnx_aaaaaaaa_00000000000000000000000000000000000000", 1, 401); // unknown
    auto expiring = mint_as(token);
    db.sql("UPDATE api_keys SET expires_at = now() - interval '1 second' WHERE prefix = '" +
           prefix_of(expiring) + "'");
    check(expiring, 2, 401);

    auto& later = after_a_flush();
    auto listed = later.get(all_days + "&by=key", token);
    BOOST_TEST(listed.status == 200u);
    BOOST_TEST(of_key(listed, key) == "6/0/0");
    BOOST_TEST(of_key(listed, narrow) == "9/6/0");
    BOOST_TEST(of_key(listed, expiring) == "2/2/0");
    BOOST_TEST(of_key(listed, unused) == "");
    BOOST_TEST(member_names(listed) == "items next_cursor total");
    BOOST_TEST(json_at(listed, "/items/0/key") == "null"); // all sessions
    BOOST_TEST(json_at(listed, "/items/0/refusals") == "0");
    BOOST_TEST(member_names(listed, "/items/1") == "key checks refusals rate_limited");
    BOOST_TEST(member_names(listed, "/items/1/key") == "id prefix name");
    BOOST_TEST(json_at(listed, "/total") == "4");
}

BOOST_FIXTURE_TEST_CASE(a_request_is_one_refusal_at_most, usage_fixture)
{
    auto inviting = mint_as(token, R"(["team:invite"])");
    const std::string one = R"({"invites":[{"email":"x@example.com","role":"member"}]})";
    BOOST_TEST(client.post(base + "/team/invites", one, inviting).code() == "email_not_verified");
    db.sql_with_invalidation("UPDATE users SET email_verified_at = now()");
    std::string admins;
    for (std::string email : {"x@example.com", "y@example.com", "z@example.com"})
        admins += (admins.empty() ? "" : ",") + support::object({{"email", email}, {"role", "admin"}});
    auto answer = client.post(base + "/team/invites", "{\"invites\":[" + admins + "]}", inviting);
    BOOST_TEST(answer.body.find("forbidden") != std::string::npos, answer.body);
    auto listed = after_a_flush().get(all_days + "&by=key", token);
    BOOST_TEST(of_key(listed, inviting) == "2/2/0");
}

BOOST_FIXTURE_TEST_CASE(requests_over_the_limit_are_counted, limited_fixture)
{
    auto key = mint_as(token);
    check(key, 30);
    check(key, 7, 429);
    auto listed = after_a_flush().get(all_days + "&by=key", token);
    BOOST_TEST(of_key(listed, key) == "37/0/7");
    auto by_status = reading->get(all_days + "&by=status", token);
    BOOST_TEST(member_names(by_status, "/items/0") == "key status checks");
    BOOST_TEST(item_texts(by_status, "status") ==
                   (std::vector<std::string>{"allowed", "refused", "rate_limited"}),
               boost::test_tools::per_element());
    BOOST_TEST(json_at(by_status, "/items/1/checks") == "0");
    BOOST_TEST(json_at(by_status, "/items/2/checks") == "7");
}

BOOST_FIXTURE_TEST_CASE(days_are_listed_in_their_order, usage_fixture)
{
    auto key = mint_as(token);
    store("2026-03-02", key, 10);
    store("2026-03-02", "", 5);
    store("2026-03-01", key, 20);
    store("2026-02-27", key, 40);
    auto list = [&](const std::string& query) { return client.get(base + "/usage" + query, token); };
    auto days = list("?from=2026-02-27&to=2026-03-02"); // by day
    BOOST_TEST(item_texts(days, "day") ==
                   (std::vector<std::string>{"2026-02-27", "2026-03-01", "2026-03-02"}),
               boost::test_tools::per_element());
    BOOST_TEST(counts(days, "/items/2") == "15/4/2");
    BOOST_TEST(json_at(days, "/next_cursor") == "null");
    BOOST_TEST(item_count(list("?from=2026-02-28&to=2026-03-01&by=day")) == 1u);
    BOOST_TEST(item_count(list("?from=2026-03-02&to=2026-03-02&by=day")) == 1u);
    BOOST_TEST(of_key(list("?from=2026-03-01&to=2026-03-02&by=key"), key) == "30/4/2");
    BOOST_TEST(json_at(list("?from=2026-02-01&to=2026-03-31&by=status"), "/items/0/checks") == "63");

    // By default the last thirty days.
    db.sql("UPDATE usage_daily SET day = (now() AT TIME ZONE 'UTC')::date - 29 WHERE day = '2026-03-01'");
    db.sql("UPDATE usage_daily SET day = (now() AT TIME ZONE 'UTC')::date - 30 WHERE day = '2026-02-27'");
    BOOST_TEST(of_key(list("?by=key"), key) == "20/2/1");
}

BOOST_FIXTURE_TEST_CASE(a_wrong_query_is_refused, usage_fixture)
{
    auto errors_of = [&](const std::string& query) {
        return validation_errors(client.get(base + "/usage" + query, token));
    };
    for (auto day : {"", "2026", "2026-13-01", "2026-02-30", "2026-1-1", "2026-01-01T00:00:00Z", "today",
                     "2026-01-0%31x"})
        BOOST_TEST(errors_of("?from=" + std::string(day)) == "query.from date_parsing", day);
    BOOST_TEST(errors_of("?by=hour").starts_with("query.by "));
    BOOST_TEST(errors_of("?from=2026-03-02&to=2026-03-01") == "query.from value_error");
    BOOST_TEST(errors_of("?limit=0").starts_with("query.limit "));
    BOOST_TEST(client.get(base + "/usage?cursor=x", token).code() == "invalid_cursor");
    BOOST_TEST(client.get(base + "/usage?from=0001-01-01&to=9999-12-31", token).status == 200u);
}

BOOST_FIXTURE_TEST_CASE(members_see_their_own_keys, usage_fixture)
{
    auto of_bob = mint_as(bob.token), of_ada = mint_as(token);
    auto read_only = mint_as(token, R"(["api_keys:read"])");
    store("2026-03-01", of_bob, 10);
    store("2026-03-01", of_ada, 20);
    store("2026-03-01", "", 40);
    auto eve = sign_up(client, "eve@example.net");
    auto checks_of = [&](const std::string& credential) {
        auto days = client.get(base + "/usage?from=2026-03-01&to=2026-03-01", credential);
        BOOST_TEST(days.status == 200u);
        return json_at(days, "/items/0/checks");
    };
    BOOST_TEST(checks_of(token) == "70");
    BOOST_TEST(checks_of(bob.token) == "10");
    BOOST_TEST(checks_of(read_only) == "20"); // without api_keys:admin
    BOOST_TEST(checks_of(eve.token) == "");   // another workspace
    auto keys = client.get(base + "/usage?from=2026-03-01&to=2026-03-01&by=key", bob.token);
    BOOST_TEST(item_count(keys) == 1u);
    BOOST_TEST(of_key(keys, of_bob) == "10/2/1");
    BOOST_TEST(client.get(base + "/usage", mint_as(token, R"(["content:read"])")).code() ==
               "forbidden_scope");
}

BOOST_FIXTURE_TEST_CASE(keys_are_listed_by_pages, usage_fixture)
{
    std::vector<std::string> all;
    for (int i = 0; i < 5; ++i) {
        all.push_back(mint_as(token));
        store("2026-03-01", all.back(), i + 10);
    }
    store("2026-03-01", "", 1);
    auto period = base + "/usage?from=2026-03-01&to=2026-03-01&by=key";
    std::vector<std::string> seen;
    std::string next;
    do {
        auto page = client.get(period + "&limit=2" + (next.empty() ? "" : "&cursor=" + next), token);
        BOOST_REQUIRE_MESSAGE(page.status == 200u, page.body);
        BOOST_TEST(item_count(page) <= 2u);
        for (std::size_t i = 0; i < item_count(page); ++i)
            seen.push_back(json_at(page, "/items/" + std::to_string(i) + "/checks"));
        BOOST_TEST(json_at(page, "/total") == "6");
        next = page.text("/next_cursor");
    } while (!next.empty() && seen.size() < 10);
    std::ranges::sort(seen);
    BOOST_TEST(seen == (std::vector<std::string>{"1", "10", "11", "12", "13", "14"}),
               boost::test_tools::per_element());

    auto cursor = client.get(period + "&limit=2", token).text("/next_cursor");
    for (auto& other : {base + "/usage?from=2026-03-01&to=2026-03-02&by=key", base + "/api-keys?",
                        base + "/usage?from=2026-03-01&to=2026-03-01&by=day"})
        BOOST_TEST(client.get(other + "&cursor=" + cursor, token).code() == "invalid_cursor", other);
    BOOST_TEST(client.get(period + "&cursor=" + cursor, bob.token).code() == "invalid_cursor");
}

// Its counts stay, without its name.
BOOST_FIXTURE_TEST_CASE(a_deleted_key_has_an_id_only, usage_fixture)
{
    auto key = mint_as(token);
    store("2026-03-01", key, 10);
    db.sql("UPDATE api_keys SET revoked_at = now() - interval '100 days'");
    db.sql("DELETE FROM api_keys");
    auto listed = client.get(base + "/usage?from=2026-03-01&to=2026-03-01&by=key", token);
    BOOST_TEST(counts(listed, "/items/0") == "10/2/1");
    BOOST_TEST(is_uuid_v7(listed.text("/items/0/key/id")));
    BOOST_TEST(json_at(listed, "/items/0/key/prefix") == "null");
}

BOOST_FIXTURE_TEST_CASE(counts_go_with_the_workspace, usage_fixture)
{
    auto zoe = sign_up(client, "zoe@example.com");
    db.sql("INSERT INTO usage_daily VALUES ('" + zoe.workspace + "', '2026-03-01', NULL, 1, 0, 0)");
    auto gone =
        client.send(support::http::verb::delete_, base + "/me", R"({"password":"long enough"})", zoe.token);
    BOOST_TEST(gone.status == 204u);
    BOOST_TEST(db.sql("SELECT count(*) FROM usage_daily WHERE day = '2026-03-01'") == "0");
}

BOOST_AUTO_TEST_SUITE_END()
