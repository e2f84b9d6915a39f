// A key's life after it was minted: shown, changed, replaced, revoked, reported.
#include "tests/e2e/support/members.hpp"
#include "tests/e2e/support/response_helpers.hpp"

#include <chrono>
#include <deque>
#include <string>
#include <thread>

using namespace flows;
using namespace std::chrono_literals;

namespace {

struct keyed : signed_up {
    static std::string path(const std::string& which) { return base + "/api-keys/" + prefix_of(which); }

    support::response show(const std::string& which) { return client.get(path(which), token); }
    support::response change(const std::string& which, std::string body)
    {
        return client.patch(path(which), std::move(body), token);
    }
    support::response rotate(const std::string& which, std::string body = "")
    {
        return client.post(path(which) + "/rotate", std::move(body), token);
    }
    support::response report(const std::string& text)
    {
        return client.post(base + "/api-keys/report", support::object({{"key", text}}));
    }

    bool lives(const std::string& which) { return client.get(base + "/auth", which).status == 200u; }

    std::string key = mint(R"({"name":"k","scopes":["content:read","team:read"]})");
};

const std::string row = "id prefix name scopes owner created_at expires_at last_used_at revoked_at";

} // namespace

BOOST_AUTO_TEST_SUITE(api_key_changes)

BOOST_FIXTURE_TEST_CASE(a_key_is_shown_as_in_the_list, keyed)
{
    auto shown = show(key);
    BOOST_TEST(shown.status == 200u);
    BOOST_TEST(members(shown) == row);
    BOOST_TEST(at(shown, "") == at(client.get(base + "/api-keys", token), "/items/0"));
    BOOST_TEST(client.get(path(key), key).text("/required") == "api_keys:read");
}

BOOST_FIXTURE_TEST_CASE(what_names_no_key_is_not_there, keyed)
{
    for (std::string name : {"aaaaaaaa", "x", "%00", "%zz", "%F0%9F%94%91", "..", "AAAAAAAA"}) {
        auto at_path = base + "/api-keys/" + name;
        for (auto& answer : {client.get(at_path, token), client.patch(at_path, "{}", token),
                             client.del(at_path, token), client.post(at_path + "/rotate", "", token)}) {
            BOOST_TEST(answer.status == 404u, name);
            BOOST_TEST(answer.code() == "not_found", name);
        }
    }
    BOOST_TEST(client.get(base + "/api-keys/" + std::string(4000, 'a'), token).status == 404u);
    BOOST_TEST(client.get(base + "/api-keys/" + key, token).status == 404u); // the prefix, not the secret
}

BOOST_FIXTURE_TEST_CASE(a_patch_changes_what_it_names, keyed)
{
    auto renamed = change(key, R"({"name":"renamed"})");
    BOOST_TEST(renamed.status == 200u);
    BOOST_TEST(members(renamed) == row);
    BOOST_TEST(renamed.text("/name") == "renamed");
    BOOST_TEST(at(renamed, "/scopes") == R"(["content:read","team:read"])");
    auto expiring = change(key, R"({"expires_at":"2126-01-01T00:00:00+01:00"})");
    BOOST_TEST(expiring.text("/expires_at") == "2125-12-31T23:00:00.000000Z");
    BOOST_TEST(expiring.text("/name") == "renamed");
    BOOST_TEST(at(change(key, "{}"), "") == at(expiring, ""));
    BOOST_TEST(at(change(key, R"({"expires_at":null})"), "/expires_at") == "null");
    BOOST_TEST(at(show(key), "/name") == "\"renamed\"");
}

BOOST_FIXTURE_TEST_CASE(new_scopes_hold_from_the_next_request_on_every_core, keyed)
{
    std::deque<support::http_client> everywhere;
    for (int i = 0; i < 16; ++i)
        BOOST_TEST(
            everywhere.emplace_back(server.port()).get(base + "/auth?permission=team:read", key).status ==
            200u);
    BOOST_TEST(at(change(key, R"({"scopes":["content:read"]})"), "/scopes") == R"(["content:read"])");
    for (auto& one : everywhere)
        BOOST_TEST(one.get(base + "/auth?permission=team:read", key).status == 403u);
    change(key, R"({"scopes":["*"]})");
    for (auto& one : everywhere)
        BOOST_TEST(one.get(base + "/auth?permission=team:read", key).status == 200u);
}

BOOST_FIXTURE_TEST_CASE(every_fault_of_a_patch_is_told_at_once, keyed)
{
    auto before = show(key);
    BOOST_TEST(faults(change(key, R"({"name":null,"scopes":null,"expires_at":7,"secret":"x"})")) ==
               "body.expires_at string_type, body.name string_type, body.scopes list_type, "
               "body.secret extra_forbidden");
    BOOST_TEST(faults(change(key, R"({"scopes":["no:such"],"expires_at":"2001-01-01T00:00:00Z"})")) ==
               "body.expires_at value_error, body.scopes.0 value_error");
    BOOST_TEST(faults(change(key, R"({"scopes":[]})")) == "body.scopes too_short");
    BOOST_TEST(faults(change(key, R"({"name":"\u200b"})")) == "body.name value_error");
    BOOST_TEST(show(key).body == before.body);
}

BOOST_FIXTURE_TEST_CASE(an_expired_key_can_be_brought_back_and_a_revoked_one_cannot, keyed)
{
    db.sql("UPDATE api_keys SET expires_at = now() - interval '1 second'");
    BOOST_TEST(change(key, R"({"name":"still there"})").status == 200u);
    BOOST_TEST(change(key, R"({"expires_at":null})").status == 200u);
    BOOST_TEST(lives(key));
    client.del(path(key), token);
    for (auto& refused : {change(key, R"({"name":"x"})"), change(key, "{}"), rotate(key)}) {
        BOOST_TEST(refused.status == 409u);
        BOOST_TEST(refused.code() == "conflict");
    }
    BOOST_TEST(show(key).text("/name") == "still there");
}

BOOST_FIXTURE_TEST_CASE(revoking_is_final_and_may_be_repeated, keyed)
{
    BOOST_TEST(lives(key));
    auto revoked = client.del(path(key), token);
    BOOST_TEST(revoked.status == 204u);
    BOOST_TEST(revoked.body.empty());
    auto refused = client.get(base + "/me", key);
    BOOST_TEST(refused.status == 401u);
    BOOST_TEST(refused.code() == "unauthorized");
    auto when = show(key).text("/revoked_at");
    BOOST_TEST(is_recent(when));
    BOOST_TEST(client.del(path(key), token).status == 204u);
    BOOST_TEST(show(key).text("/revoked_at") == when);
    BOOST_TEST(db.sql("SELECT string_agg(target || ' ' || actor_id, ',') FROM audit WHERE action = "
                      "'api_key.revoke'") == prefix_of(key) + " " + user);
}

BOOST_FIXTURE_TEST_CASE(a_key_may_revoke_itself, keyed)
{
    auto own = mint(R"({"name":"own"})");
    BOOST_TEST(client.del(path(own), own).status == 204u);
    BOOST_TEST(!lives(own));
    BOOST_TEST(lives(key));
    BOOST_TEST(client.del(path(key), key).text("/required") == "api_keys:write");
}

BOOST_FIXTURE_TEST_CASE(a_rotated_key_has_a_successor_with_the_same_rights, keyed)
{
    change(key, R"({"expires_at":"2126-01-01T00:00:00Z"})");
    auto next = rotate(key);
    BOOST_TEST(next.status == 201u);
    BOOST_TEST(members(next) == "id prefix name secret scopes owner created_at expires_at");
    BOOST_TEST(next.text("/name") == "k");
    BOOST_TEST(at(next, "/scopes") == R"(["content:read","team:read"])");
    BOOST_TEST(next.text("/owner") == "user");
    BOOST_TEST(next.text("/expires_at") == "2126-01-01T00:00:00.000000Z");
    BOOST_TEST(next.text("/prefix") != prefix_of(key));
    BOOST_TEST(next.text("/prefix") == prefix_of(next.text("/secret")));
    BOOST_TEST(lives(next.text("/secret")));
    BOOST_TEST(client.get(base + "/me", next.text("/secret")).text("/user/id") == user);
    BOOST_TEST(!lives(key)); // no grace unless asked for
    BOOST_TEST(is_recent(show(key).text("/revoked_at")));
    BOOST_TEST(db.sql("SELECT string_agg(target, ',') FROM audit WHERE action = 'api_key.rotate'") ==
               prefix_of(key));
}

BOOST_FIXTURE_TEST_CASE(a_replaced_key_lives_out_its_grace, keyed)
{
    auto next = rotate(key, R"({"grace_seconds":604800})");
    BOOST_TEST(next.status == 201u);
    BOOST_TEST(at(next, "/expires_at") == "null");
    BOOST_TEST(lives(key));
    BOOST_TEST(lives(next.text("/secret")));
    auto ending = schemas::parse_timestamp(show(key).text("/expires_at"));
    BOOST_REQUIRE(ending.has_value());
    auto left = *ending - std::chrono::system_clock::now();
    BOOST_TEST((left > 604700s && left <= 604800s));
    BOOST_TEST(at(show(key), "/revoked_at") == "null");
}

BOOST_FIXTURE_TEST_CASE(and_no_longer, keyed)
{
    BOOST_TEST(rotate(key, R"({"grace_seconds":1})").status == 201u);
    for (int i = 0; i < 200 && lives(key); ++i)
        std::this_thread::sleep_for(50ms);
    BOOST_TEST(client.get(base + "/auth", key).code() == "token_expired");
}

BOOST_FIXTURE_TEST_CASE(grace_never_prolongs_a_life, keyed)
{
    auto mortal = mint(support::object({{"name", "m"}, {"expires_at", in(1h)}}));
    auto before = show(mortal).text("/expires_at");
    auto next = rotate(mortal, R"({"grace_seconds":604800})");
    BOOST_TEST(show(mortal).text("/expires_at") == before);
    BOOST_TEST(next.text("/expires_at") == before);
}

BOOST_FIXTURE_TEST_CASE(a_grace_is_from_nothing_to_a_week, keyed)
{
    BOOST_TEST(faults(rotate(key, R"({"grace_seconds":-1})")) == "body.grace_seconds greater_than_equal");
    BOOST_TEST(faults(rotate(key, R"({"grace_seconds":604801})")) == "body.grace_seconds less_than_equal");
    BOOST_TEST(faults(rotate(key, R"({"grace_seconds":1.5,"grace":1})")) ==
               "body.grace extra_forbidden, body.grace_seconds int_type");
    BOOST_TEST(faults(rotate(key, R"({"grace_seconds":"60"})")) == "body.grace_seconds int_type");
    BOOST_TEST(faults(rotate(key, "[]")) == "body dict_type");
    BOOST_TEST(rotate(key, "{").code() == "malformed_json");
    BOOST_TEST(lives(key));
    for (auto body : {"{}", R"({"grace_seconds":null})", R"({"grace_seconds":0})", ""}) {
        auto next = rotate(key, body);
        BOOST_TEST(next.status == 201u, body);
        BOOST_TEST(!lives(key));
        key = next.text("/secret");
    }
}

BOOST_FIXTURE_TEST_CASE(an_expired_key_has_no_successor, keyed)
{
    db.sql("UPDATE api_keys SET expires_at = now() - interval '1 second'");
    auto refused = rotate(key);
    BOOST_TEST(refused.status == 409u);
    BOOST_TEST(refused.code() == "conflict");
    BOOST_TEST(db.sql("SELECT count(*) FROM api_keys") == "1");
}

BOOST_FIXTURE_TEST_CASE(whoever_finds_a_key_can_end_it, keyed)
{
    BOOST_TEST(lives(key));
    support::http_client finder(server.port(), "127.0.0.7");
    auto told = finder.post(base + "/api-keys/report", support::object({{"key", key}}));
    BOOST_TEST(told.status == 202u);
    BOOST_TEST(!lives(key));
    BOOST_TEST(is_recent(show(key).text("/revoked_at")));
    BOOST_TEST(db.sql("SELECT concat_ws(' ', target, workspace_id, ip, coalesce(actor_id::text, 'nobody')) "
                      "FROM audit WHERE action = 'api_key.report'") ==
               prefix_of(key) + " " + workspace + " 127.0.0.7 nobody");
    BOOST_TEST(comparable(report(key)) == comparable(told));
    BOOST_TEST(db.sql("SELECT count(*) FROM audit WHERE action = 'api_key.report'") == "1");
}

BOOST_FIXTURE_TEST_CASE(a_report_of_garbage_is_answered_as_one_of_a_key, keyed)
{
    auto other = key;
    other[20] = other[20] == 'a' ? 'b' : 'a'; // the right prefix alone ends nothing
    auto told = report("tnx_");
    BOOST_TEST(told.status == 202u);
    for (auto& text : {other, prefix_of(key), std::string("garbage"), token.substr(0, 200), key + " "})
        BOOST_TEST(comparable(report(text)) == comparable(told), text);
    BOOST_TEST(lives(key));
    BOOST_TEST(comparable(report(key)) == comparable(told));
    BOOST_TEST(faults(client.post(base + "/api-keys/report", R"({"keys":[]})")) ==
               "body.key missing, body.keys extra_forbidden");
}

BOOST_AUTO_TEST_SUITE_END()
