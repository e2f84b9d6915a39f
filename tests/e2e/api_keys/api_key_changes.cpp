// API keys after minting: show, patch, rotate, revoke, report.
#include "tests/e2e/support/all_cores.hpp"
#include "tests/e2e/support/members.hpp"
#include "tests/e2e/support/response_helpers.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/forge.hpp"
#include "tests/support/transaction.hpp"

#include <chrono>
#include <deque>
#include <string>
#include <string_view>
#include <utility>

using namespace e2e;
using namespace std::chrono_literals;

namespace {

struct key_changes_fixture : account_fixture {
    static std::string path(const std::string& secret) { return base + "/api-keys/" + prefix_of(secret); }

    support::response show(const std::string& secret) { return client.get(path(secret), token); }
    support::response change(const std::string& secret, std::string body)
    {
        return client.patch(path(secret), std::move(body), token);
    }
    support::response rotate(const std::string& secret, std::string body = "")
    {
        return client.post(path(secret) + "/rotate", std::move(body), token);
    }
    support::response report(const std::string& text)
    {
        return client.post(base + "/api-keys/report", support::object({{"key", text}}));
    }

    bool is_valid(const std::string& secret) { return client.get(base + "/auth", secret).status == 200u; }

    std::string key = mint(R"({"name":"k","scopes":["content:read","team:read"]})");
};

const std::string row = "id prefix name scopes owner created_at expires_at last_used_at revoked_at";

} // namespace

BOOST_AUTO_TEST_SUITE(api_key_changes)

BOOST_FIXTURE_TEST_CASE(a_key_is_shown_as_in_its_list, key_changes_fixture)
{
    auto shown = show(key);
    BOOST_TEST(shown.status == 200u);
    BOOST_TEST(member_names(shown) == row);
    BOOST_TEST(json_at(shown, "") == json_at(client.get(base + "/api-keys", token), "/items/0"));
    BOOST_TEST(client.get(path(key), key).text("/required") == "api_keys:read");
}

BOOST_FIXTURE_TEST_CASE(an_unknown_prefix_is_not_found, key_changes_fixture)
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

BOOST_FIXTURE_TEST_CASE(a_patch_changes_only_the_named_fields, key_changes_fixture)
{
    auto renamed = change(key, R"({"name":"renamed"})");
    BOOST_TEST(renamed.status == 200u);
    BOOST_TEST(member_names(renamed) == row);
    BOOST_TEST(renamed.text("/name") == "renamed");
    BOOST_TEST(json_at(renamed, "/scopes") == R"(["content:read","team:read"])");
    auto expiring = change(key, R"({"expires_at":"2126-01-01T00:00:00+01:00"})");
    BOOST_TEST(expiring.text("/expires_at") == "2125-12-31T23:00:00.000000Z");
    BOOST_TEST(expiring.text("/name") == "renamed");
    BOOST_TEST(json_at(change(key, "{}"), "") == json_at(expiring, ""));
    BOOST_TEST(json_at(change(key, R"({"expires_at":null})"), "/expires_at") == "null");
    BOOST_TEST(json_at(show(key), "/name") == "\"renamed\"");
}

BOOST_FIXTURE_TEST_CASE(new_scopes_take_effect_on_every_core_with_the_next_request, key_changes_fixture)
{
    std::deque<support::http_client> clients;
    for (int i = 0; i < 16; ++i)
        BOOST_TEST(clients.emplace_back(server.port()).get(base + "/auth?permission=team:read", key).status ==
                   200u);
    BOOST_TEST(json_at(change(key, R"({"scopes":["content:read"]})"), "/scopes") == R"(["content:read"])");
    for (auto& one : clients)
        BOOST_TEST(one.get(base + "/auth?permission=team:read", key).status == 403u);
    change(key, R"({"scopes":["*"]})");
    for (auto& one : clients)
        BOOST_TEST(one.get(base + "/auth?permission=team:read", key).status == 200u);
}

BOOST_FIXTURE_TEST_CASE(all_errors_of_a_patch_are_reported_at_once, key_changes_fixture)
{
    auto before = show(key);
    BOOST_TEST(validation_errors(change(key, R"({"name":null,"scopes":null,"expires_at":7,"secret":"x"})")) ==
               "body.expires_at string_type, body.name string_type, body.scopes list_type, "
               "body.secret extra_forbidden");
    BOOST_TEST(
        validation_errors(change(key, R"({"scopes":["no:such"],"expires_at":"2001-01-01T00:00:00Z"})")) ==
        "body.expires_at value_error, body.scopes.0 value_error");
    BOOST_TEST(validation_errors(change(key, R"({"scopes":[]})")) == "body.scopes too_short");
    BOOST_TEST(validation_errors(change(key, R"({"name":"\u200b"})")) == "body.name value_error");
    BOOST_TEST(show(key).body == before.body);
}

BOOST_FIXTURE_TEST_CASE(an_expired_key_can_be_extended_and_a_revoked_one_cannot, key_changes_fixture)
{
    db.sql("UPDATE api_keys SET expires_at = now() - interval '1 second'");
    BOOST_TEST(change(key, R"({"name":"still there"})").status == 200u);
    BOOST_TEST(change(key, R"({"expires_at":null})").status == 200u);
    BOOST_TEST(is_valid(key));
    client.del(path(key), token);
    for (auto& refused : {change(key, R"({"name":"x"})"), change(key, "{}"), rotate(key)}) {
        BOOST_TEST(refused.status == 409u);
        BOOST_TEST(refused.code() == "conflict");
    }
    BOOST_TEST(show(key).text("/name") == "still there");
}

BOOST_FIXTURE_TEST_CASE(revocation_is_final_and_idempotent, key_changes_fixture)
{
    BOOST_TEST(is_valid(key));
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

BOOST_FIXTURE_TEST_CASE(a_key_may_revoke_itself, key_changes_fixture)
{
    auto own = mint(R"({"name":"own"})");
    BOOST_TEST(client.del(path(own), own).status == 204u);
    BOOST_TEST(!is_valid(own));
    BOOST_TEST(is_valid(key));
    BOOST_TEST(client.del(path(key), key).text("/required") == "api_keys:write");
}

BOOST_FIXTURE_TEST_CASE(rotation_mints_a_successor_with_the_same_rights, key_changes_fixture)
{
    change(key, R"({"expires_at":"2126-01-01T00:00:00Z"})");
    auto next = rotate(key);
    BOOST_TEST(next.status == 201u);
    BOOST_TEST(member_names(next) == "id prefix name secret scopes owner created_at expires_at");
    BOOST_TEST(next.text("/name") == "k");
    BOOST_TEST(json_at(next, "/scopes") == R"(["content:read","team:read"])");
    BOOST_TEST(next.text("/owner") == "user");
    BOOST_TEST(next.text("/expires_at") == "2126-01-01T00:00:00.000000Z");
    BOOST_TEST(next.text("/prefix") != prefix_of(key));
    BOOST_TEST(next.text("/prefix") == prefix_of(next.text("/secret")));
    BOOST_TEST(is_valid(next.text("/secret")));
    BOOST_TEST(client.get(base + "/auth", next.text("/secret")).header("X-User-Id") == user);
    BOOST_TEST(!is_valid(key)); // no grace period by default
    BOOST_TEST(is_recent(show(key).text("/revoked_at")));
    BOOST_TEST(db.sql("SELECT string_agg(target, ',') FROM audit WHERE action = 'api_key.rotate'") ==
               prefix_of(key));
}

BOOST_FIXTURE_TEST_CASE(a_rotated_key_stays_valid_for_its_grace_period, key_changes_fixture)
{
    auto next = rotate(key, R"({"grace_seconds":604800})");
    BOOST_TEST(next.status == 201u);
    BOOST_TEST(json_at(next, "/expires_at") == "null");
    BOOST_TEST(is_valid(key));
    BOOST_TEST(is_valid(next.text("/secret")));
    auto ending = schemas::parse_timestamp(show(key).text("/expires_at"));
    BOOST_REQUIRE(ending.has_value());
    auto left = *ending - std::chrono::system_clock::now();
    BOOST_TEST((left > 604700s && left <= 604800s));
    BOOST_TEST(json_at(show(key), "/revoked_at") == "null");
}

BOOST_FIXTURE_TEST_CASE(a_rotated_key_expires_after_its_grace_period, key_changes_fixture)
{
    BOOST_TEST(rotate(key, R"({"grace_seconds":1})").status == 201u);
    BOOST_TEST(support::eventually([&] { return !is_valid(key); }));
    BOOST_TEST(client.get(base + "/auth", key).code() == "token_expired");
}

BOOST_FIXTURE_TEST_CASE(a_grace_period_never_extends_an_expiry, key_changes_fixture)
{
    auto expiring_key = mint(support::object({{"name", "m"}, {"expires_at", from_now(1h)}}));
    auto before = show(expiring_key).text("/expires_at");
    auto next = rotate(expiring_key, R"({"grace_seconds":604800})");
    BOOST_TEST(show(expiring_key).text("/expires_at") == before);
    BOOST_TEST(next.text("/expires_at") == before);
}

BOOST_FIXTURE_TEST_CASE(a_grace_period_is_at_most_a_week, key_changes_fixture)
{
    BOOST_TEST(validation_errors(rotate(key, R"({"grace_seconds":-1})")) ==
               "body.grace_seconds greater_than_equal");
    BOOST_TEST(validation_errors(rotate(key, R"({"grace_seconds":604801})")) ==
               "body.grace_seconds less_than_equal");
    BOOST_TEST(validation_errors(rotate(key, R"({"grace_seconds":1.5,"grace":1})")) ==
               "body.grace extra_forbidden, body.grace_seconds int_type");
    BOOST_TEST(validation_errors(rotate(key, R"({"grace_seconds":"60"})")) == "body.grace_seconds int_type");
    BOOST_TEST(validation_errors(rotate(key, "[]")) == "body dict_type");
    BOOST_TEST(rotate(key, "{").code() == "malformed_json");
    BOOST_TEST(is_valid(key));
    for (auto body : {"{}", R"({"grace_seconds":null})", R"({"grace_seconds":0})", ""}) {
        auto next = rotate(key, body);
        BOOST_TEST(next.status == 201u, body);
        BOOST_TEST(!is_valid(key));
        key = next.text("/secret");
    }
}

BOOST_FIXTURE_TEST_CASE(a_rotated_key_names_its_successor, key_changes_fixture)
{
    auto again = mint(R"({"name":"again"})");
    auto first = rotate(key, R"({"grace_seconds":600})"), other = rotate(again);
    for (auto& [old, successor] : {std::pair(key, first), std::pair(again, other)})
        for (auto& refused : {rotate(old), rotate(old, R"({"grace_seconds":600})"),
                              change(old, R"({"expires_at":null})"), change(old, R"({"name":"x"})")}) {
            BOOST_TEST(refused.status == 409u);
            BOOST_TEST(refused.code() == "already_rotated");
            BOOST_TEST(member_names(refused) == "detail code successor_prefix");
            BOOST_TEST(refused.text("/successor_prefix") == successor.text("/prefix"));
        }
    BOOST_TEST(is_valid(key)); // in its grace period
    BOOST_TEST(client.del(path(key), token).status == 204u);
    BOOST_TEST(rotate(first.text("/secret")).status == 201u);
}

BOOST_FIXTURE_TEST_CASE(a_key_is_rotated_once_by_concurrent_calls, key_changes_fixture)
{
    for (int round = 0; round < 10; ++round) {
        // The old key expires before its grace period would, so that the rotation changes neither of them.
        auto old = mint(support::object({{"name", "k"}, {"expires_at", from_now(10min)}}));
        auto body = R"({"grace_seconds":3600})";
        auto path = "/api-keys/" + prefix_of(old) + "/rotate";
        auto all =
            send_concurrently(server, {post_request(path, body, token), post_request(path, body, token),
                                       post_request(path, body, token)});
        BOOST_TEST(summaries(all) == "201, 409 already_rotated, 409 already_rotated");
    }
}

BOOST_FIXTURE_TEST_CASE(rights_changed_between_check_and_write_are_not_written_over, key_changes_fixture)
{
    auto narrow = mint(R"({"name":"n","scopes":["api_keys:write","content:read"]})");
    const std::string changes[] = {"scopes = '{api_keys:write,content:read,team:read}'",
                                   "expires_at = now() + interval '1 hour'", "revoked_at = now()"};
    for (auto& change_meanwhile : changes) {
        auto target = mint(R"({"name":"t","scopes":["content:read"]})");
        auto of_target = " WHERE prefix = '" + prefix_of(target) + "'";
        const api_request calls[] = {
            patch_request("/api-keys/" + prefix_of(target), R"({"scopes":["api_keys:write"]})", narrow),
            patch_request("/api-keys/" + prefix_of(target), R"({"expires_at":"2099-01-01T00:00:00Z"})",
                          narrow),
            post_request("/api-keys/" + prefix_of(target) + "/rotate", "", narrow)};
        for (auto& call : calls) {
            db.sql("UPDATE api_keys SET scopes = '{content:read}', expires_at = NULL, revoked_at = NULL" +
                   of_target);
            support::transaction other(db.conninfo());
            other.sql("UPDATE api_keys SET " + change_meanwhile + of_target);
            support::response answer;
            BOOST_TEST(other.commit_when_blocking([&] { answer = call(client); }));
            BOOST_TEST(summary(answer) == "409 conflict", change_meanwhile);
            BOOST_TEST(db.sql("SELECT count(*) FROM api_keys" + of_target + " AND " +
                              (change_meanwhile.starts_with("scopes") ? change_meanwhile : "name = 't'")) ==
                       "1");
        }
    }
}

BOOST_FIXTURE_TEST_CASE(a_key_that_is_narrowed_meanwhile_cannot_mint_its_old_rights, key_changes_fixture)
{
    auto wide = mint(R"({"name":"w","scopes":["api_keys:write","team:read"]})");
    auto narrowing =
        "UPDATE api_keys SET scopes = '{api_keys:write}' WHERE prefix = '" + prefix_of(wide) + "'";
    for (auto body :
         {R"({"name":"k","scopes":["team:read"]})", R"({"name":"k","scopes":["api_keys:write"]})"}) {
        db.sql("UPDATE api_keys SET scopes = '{api_keys:write,team:read}' WHERE prefix = '" +
               prefix_of(wide) + "'");
        support::transaction other(db.conninfo());
        other.sql(narrowing);
        support::response answer;
        BOOST_TEST(other.commit_when_blocking([&] { answer = client.post(base + "/api-keys", body, wide); }));
        auto is_still_held = std::string_view(body).find("api_keys") != std::string_view::npos;
        BOOST_TEST(summary(answer) == (is_still_held ? "201" : "403 forbidden_scope"), body);
        if (!is_still_held)
            BOOST_TEST(answer.text("/required") == "team:read");
    }
}

BOOST_FIXTURE_TEST_CASE(minting_that_is_reserved_meanwhile_is_refused, key_changes_fixture)
{
    auto bob = add_member(*this, "bob@example.com", "manager");
    support::transaction other(db.conninfo());
    other.sql("UPDATE workspaces SET members_can_mint_keys = false");
    support::response answer;
    BOOST_TEST(other.commit_when_blocking(
        [&] { answer = client.post(base + "/api-keys", R"({"name":"k"})", bob.token); }));
    BOOST_TEST(summary(answer) == "403 forbidden_scope");
    BOOST_TEST(answer.text("/required") == "api_keys:admin");
}

BOOST_FIXTURE_TEST_CASE(an_expired_key_cannot_be_rotated, key_changes_fixture)
{
    db.sql("UPDATE api_keys SET expires_at = now() - interval '1 second'");
    auto refused = rotate(key);
    BOOST_TEST(refused.status == 409u);
    BOOST_TEST(refused.code() == "conflict");
    BOOST_TEST(db.sql("SELECT count(*) FROM api_keys") == "1");
}

BOOST_FIXTURE_TEST_CASE(a_reported_key_is_revoked, key_changes_fixture)
{
    BOOST_TEST(is_valid(key));
    support::http_client finder(server.port(), "127.0.0.7");
    auto reported = finder.post(base + "/api-keys/report", support::object({{"key", key}}));
    BOOST_TEST(reported.status == 202u);
    BOOST_TEST(!is_valid(key));
    BOOST_TEST(is_recent(show(key).text("/revoked_at")));
    BOOST_TEST(db.sql("SELECT concat_ws(' ', target, workspace_id, ip, coalesce(actor_id::text, 'no user')) "
                      "FROM audit WHERE action = 'api_key.report'") ==
               prefix_of(key) + " " + workspace + " 127.0.0.7 no user");
    BOOST_TEST(normalized(report(key)) == normalized(reported));
    BOOST_TEST(db.sql("SELECT count(*) FROM audit WHERE action = 'api_key.report'") == "1");
}

BOOST_FIXTURE_TEST_CASE(a_report_of_an_unknown_key_is_answered_alike, key_changes_fixture)
{
    auto other = support::forge(key, 20); // the right prefix alone revokes nothing
    auto reported = report("tnx_");
    BOOST_TEST(reported.status == 202u);
    for (auto& text : {other, prefix_of(key), std::string("garbage"), token.substr(0, 200), std::string(),
                       std::string("a\0b", 3), std::string(20000, 'A'), key + "A"})
        BOOST_TEST(normalized(report(text)) == normalized(reported), text);
    BOOST_TEST(is_valid(key));
    BOOST_TEST(normalized(report(key)) == normalized(reported));
    BOOST_TEST(validation_errors(client.post(base + "/api-keys/report", R"({"keys":[]})")) ==
               "body.key missing, body.keys extra_forbidden");
}

BOOST_FIXTURE_TEST_CASE(white_space_around_a_reported_key_is_ignored, key_changes_fixture)
{
    for (std::string around : {" ", "\n", "\t \r\n", "\u00A0", "\uFEFF"}) {
        auto leaked = mint(R"({"name":"leaked"})");
        BOOST_TEST(report(around + leaked + around).status == 202u);
        BOOST_TEST(!is_valid(leaked));
    }
}

BOOST_AUTO_TEST_SUITE_END()
