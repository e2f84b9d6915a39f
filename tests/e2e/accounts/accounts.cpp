// Signup: the rows it creates, its response, validation and concurrency.
#include "tests/e2e/support/members.hpp"
#include "tests/e2e/support/response_helpers.hpp"

#include <atomic>
#include <deque>
#include <string>
#include <thread>

using namespace e2e;

namespace {

struct server_fixture {
    support::database db;
    support::running_server server{db.conninfo()};
    support::http_client client{server.port()};

    support::response sign_up(std::string body) { return client.post(base + "/signup", std::move(body)); }
};

/// A strong password of exactly this length.
std::string long_password(std::size_t length)
{
    std::string out = "seven unrelated words of it";
    out.resize(length, 'x');
    return out;
}

} // namespace

BOOST_AUTO_TEST_SUITE(accounts)

BOOST_FIXTURE_TEST_CASE(signup_creates_a_user_a_workspace_and_a_session, server_fixture)
{
    auto response = sign_up(support::object({{"email", "Grace@Example.com"},
                                             {"password", "long enough"},
                                             {"name", "Grace Hopper"},
                                             {"workspace_name", "Navy"}}));
    BOOST_TEST(response.status == 201u);
    BOOST_TEST(response.header("Content-Type") == "application/json");
    BOOST_TEST(response.header("Cache-Control") == "no-store");
    BOOST_TEST(!response.header("X-Request-Id").empty());
    BOOST_TEST(member_names(response) ==
               "user workspace membership access_token token_type expires_in refresh_token");
    BOOST_TEST(member_names(response, "/user") ==
               "id email name title email_verified avatar_url locale timezone created_at");
    BOOST_TEST(member_names(response, "/workspace") == "id name owner_id created_at");
    BOOST_TEST(member_names(response, "/membership") == "role is_owner joined_at");

    BOOST_TEST(is_uuid_v7(response.text("/user/id")));
    BOOST_TEST(response.text("/user/email") == "Grace@Example.com");
    BOOST_TEST(response.text("/user/name") == "Grace Hopper");
    BOOST_TEST(json_at(response, "/user/title") == "null");
    BOOST_TEST(json_at(response, "/user/email_verified") == "false");
    BOOST_TEST(json_at(response, "/user/avatar_url") == "null");
    BOOST_TEST(response.text("/user/locale") == "en");
    BOOST_TEST(response.text("/user/timezone") == "UTC");
    BOOST_TEST(is_recent(response.text("/user/created_at")));

    BOOST_TEST(is_uuid_v7(response.text("/workspace/id")));
    BOOST_TEST(response.text("/workspace/name") == "Navy");
    BOOST_TEST(response.text("/workspace/owner_id") == response.text("/user/id"));
    BOOST_TEST(is_recent(response.text("/workspace/created_at")));
    BOOST_TEST(response.text("/membership/role") == "admin");
    BOOST_TEST(json_at(response, "/membership/is_owner") == "true");
    BOOST_TEST(is_recent(response.text("/membership/joined_at")));
    BOOST_TEST(response.text("/token_type") == "bearer");
    BOOST_TEST(json_at(response, "/expires_in") == "3600");

    auto me = client.get(base + "/me", response.text("/access_token"));
    BOOST_TEST(json_at(me, "/user") == json_at(response, "/user"));
    BOOST_TEST(json_at(me, "/workspace") == json_at(response, "/workspace"));
    auto refresh = support::object({{"refresh_token", response.text("/refresh_token")}});
    BOOST_TEST(client.post(base + "/token/refresh", refresh).status == 200u);
}

BOOST_FIXTURE_TEST_CASE(names_are_optional, server_fixture)
{
    auto bare = sign_up(credentials("grace@example.com"));
    BOOST_TEST(json_at(bare, "/user/name") == "null");
    BOOST_TEST(bare.text("/workspace/name") == "grace's workspace");

    auto named = sign_up(
        support::object({{"email", "bob@example.com"}, {"password", "long enough"}, {"name", "Bob"}}));
    BOOST_TEST(named.text("/workspace/name") == "Bob's workspace");

    auto null = sign_up(support::object({{"email", "eve@example.com"},
                                         {"password", "long enough"},
                                         {"name", nullptr},
                                         {"workspace_name", nullptr}}));
    BOOST_TEST(null.status == 201u);

    std::string longest(100, 'n');
    auto broad = sign_up(
        support::object({{"email", "n@example.com"}, {"password", "long enough"}, {"name", longest}}));
    BOOST_TEST(broad.text("/workspace/name") == longest);
}

BOOST_FIXTURE_TEST_CASE(an_address_has_one_account_in_any_case, server_fixture)
{
    BOOST_TEST(sign_up(credentials("ada@example.com")).status == 201u);
    db.sql("UPDATE users SET email_verified_at = now()");
    for (auto email : {"ada@example.com", "ADA@EXAMPLE.COM", "Ada@example.Com"}) {
        auto again = sign_up(credentials(email));
        BOOST_TEST(again.status == 409u, email);
        BOOST_TEST(again.code() == "email_taken", email);
        BOOST_TEST(member_names(again) == "detail code");
    }
    for (auto table : {"users", "workspaces", "memberships", "sessions", "audit"})
        BOOST_TEST(db.sql("SELECT count(*) FROM " + std::string(table)) == "1", table);
}

BOOST_FIXTURE_TEST_CASE(of_concurrent_signups_exactly_one_keeps_the_address, server_fixture)
{
    std::atomic<unsigned> response{0}, taken{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; ++i)
        threads.emplace_back([&] {
            support::http_client one(server.port());
            auto answer = one.post(base + "/signup", credentials("ada@example.com"));
            response += answer.status == 201u;
            taken += answer.status == 409u;
        });
    for (auto& one : threads)
        one.join();
    BOOST_TEST(response == 1u);
    BOOST_TEST(taken == 7u);
    BOOST_TEST(db.sql("SELECT count(*) FROM users WHERE email_normalized = 'ada@example.com'") == "1");
    BOOST_TEST(db.sql("SELECT count(*) FROM users WHERE disabled_at IS NULL") == "1");
    BOOST_TEST(db.sql("SELECT count(*) FROM sessions WHERE revoked_at IS NULL") == "1");
    BOOST_TEST(db.sql("SELECT count(*) FROM workspaces") == "1");
}

BOOST_FIXTURE_TEST_CASE(all_validation_errors_are_reported_at_once, server_fixture)
{
    auto bad =
        sign_up(R"({"email":"nonsense","password":"short","name":7,"workspace_name":"","role":"admin"})");
    BOOST_TEST(validation_errors(bad) == "body.email value_error, body.name string_type, "
                                         "body.password string_too_short, body.role extra_forbidden, "
                                         "body.workspace_name string_too_short");
    BOOST_TEST(member_names(bad, "/detail/0") == "loc msg type");
    BOOST_TEST(validation_errors(sign_up("{}")) == "body.email missing, body.password missing");
    BOOST_TEST(validation_errors(sign_up(R"({"email":null,"password":[]})")) ==
               "body.email string_type, body.password string_type");
    BOOST_TEST(db.sql("SELECT count(*) FROM users") == "0");
}

BOOST_FIXTURE_TEST_CASE(a_password_has_a_minimum_and_a_maximum_length, server_fixture)
{
    auto outcome = [&, n = 0](const std::string& password) mutable {
        return sign_up(credentials("p" + std::to_string(++n) + "@example.com", password));
    };
    BOOST_TEST(validation_errors(outcome("1234567")) == "body.password string_too_short");
    BOOST_TEST(outcome("ux7 kq2m").status == 201u);
    BOOST_TEST(outcome("éèêëàâäå").status == 201u); // characters are counted, not bytes
    BOOST_TEST(outcome(long_password(1024)).status == 201u);
    BOOST_TEST(validation_errors(outcome(long_password(1025))) == "body.password string_too_long");
    BOOST_TEST(validation_errors(outcome(std::string("with\0a zero", 11))) == "body.password value_error");
}

BOOST_FIXTURE_TEST_CASE(an_easily_guessed_password_is_weak, server_fixture)
{
    for (auto password : {"12345678", "Passw0rd!", "ada@example.com", "qwertyuiop"}) {
        auto weak = sign_up(credentials("ada@example.com", password));
        BOOST_TEST(weak.status == 422u, password);
        BOOST_TEST(weak.code() == "weak_password", password);
    }
    BOOST_TEST(db.sql("SELECT count(*) FROM users") == "0");
}

BOOST_FIXTURE_TEST_CASE(every_byte_of_a_password_is_significant, server_fixture)
{
    auto longest = long_password(1024);
    sign_up(credentials("ada@example.com", longest));
    sign_up(credentials("bob@example.com", std::string("with\0a zero", 11)));
    auto other = longest;
    other.back() = 'y';
    BOOST_TEST(client.post(base + "/login", credentials("ada@example.com", longest)).status == 200u);
    BOOST_TEST(client.post(base + "/login", credentials("ada@example.com", other)).status == 401u);
    auto cut = credentials("bob@example.com", std::string("with\0another", 12));
    BOOST_TEST(client.post(base + "/login", cut).status == 401u);
}

BOOST_FIXTURE_TEST_CASE(names_reject_control_and_invisible_characters, server_fixture)
{
    auto fault_of = [&](const std::string& name) {
        return validation_errors(sign_up(
            support::object({{"email", "ada@example.com"}, {"password", "long enough"}, {"name", name}})));
    };
    for (auto& name : {std::string("a\0b", 3), std::string("a\nb"), std::string("a\u202Eb"),
                       std::string("   "), std::string("\u200B\u00A0")})
        BOOST_TEST(fault_of(name) == "body.name value_error", name);
    BOOST_TEST(fault_of(std::string(101, 'n')) == "body.name string_too_long");
    std::string hundred;
    for (int i = 0; i < 100; ++i)
        hundred += "\u00E9";
    BOOST_TEST(fault_of(hundred).starts_with("201 "));
}

BOOST_FIXTURE_TEST_CASE(no_secret_is_stored_in_plain_text, server_fixture)
{
    auto response = sign_up(credentials("ada@example.com"));
    auto holds = [&](const std::string& table, const std::string& secret) {
        return db.sql("SELECT count(*) FROM " + table + " t WHERE t::text LIKE '%" + secret + "%'") != "0";
    };
    BOOST_TEST(holds("users", "ada@example.com"));
    for (auto table : {"users", "workspaces", "memberships", "sessions", "audit"})
        for (auto& secret :
             {std::string("long enough"), response.text("/access_token"), response.text("/refresh_token")})
            BOOST_TEST(!holds(table, secret), table);
    BOOST_TEST(db.sql("SELECT password_hash FROM users").starts_with("$argon2id$v=19$m=64,t=1,p=1$"));
}

BOOST_FIXTURE_TEST_CASE(a_signup_is_audited, server_fixture)
{
    client.set("User-Agent", "engine/1");
    client.set("X-Request-Id", "first-of-all");
    auto response = sign_up(credentials("ada@example.com"));
    BOOST_TEST(db.sql("SELECT concat_ws(' ', action, actor_id, workspace_id, ip, user_agent, request_id) "
                      "FROM audit") == "user.signup " + response.text("/user/id") + " " +
                                           response.text("/workspace/id") +
                                           " 127.0.0.1 engine/1 first-of-all");
}

BOOST_AUTO_TEST_CASE(an_access_token_carries_user_workspace_role_and_expiry)
{
    account_fixture fixture(
        {{"LATCHKEY_PUBLIC_URL", "https://id.example.com/"}, {"LATCHKEY_ACCESS_TOKEN_TTL", "90"}});
    auto keys = fixture.client.get("/.well-known/jwks.json");
    auto header = jwt_part(fixture.token, 0);
    BOOST_TEST(header.text("/typ") == "at+jwt");
    BOOST_TEST(header.text("/alg") == "ES256");
    BOOST_TEST(header.text("/kid") == keys.text("/keys/0/kid"));

    auto claims = jwt_part(fixture.token, 1);
    BOOST_TEST(member_names(claims) == "iss sub aud exp iat jti sid wid role mid");
    BOOST_TEST(claims.text("/iss") == "https://id.example.com");
    BOOST_TEST(claims.text("/aud") == "https://id.example.com");
    BOOST_TEST(claims.text("/sub") == fixture.user);
    BOOST_TEST(claims.text("/wid") == fixture.workspace);
    BOOST_TEST(claims.text("/role") == "admin");
    BOOST_TEST(is_uuid_v7(claims.text("/jti")));
    auto me = fixture.client.get(base + "/me", fixture.token);
    BOOST_TEST(claims.text("/sid") == me.text("/credential/id"));
    BOOST_TEST(std::stoll(json_at(claims, "/exp")) - std::stoll(json_at(claims, "/iat")) == 90);
}

BOOST_AUTO_TEST_CASE(the_jwt_algorithm_is_configurable)
{
    account_fixture fixture({{"LATCHKEY_JWT_ALGORITHM", "EdDSA"}});
    BOOST_TEST(jwt_part(fixture.token, 0).text("/alg") == "EdDSA");
    BOOST_TEST(fixture.client.get("/.well-known/jwks.json").text("/keys/0/crv") == "Ed25519");
    BOOST_TEST(fixture.client.get(base + "/me", fixture.token).status == 200u);
}

BOOST_AUTO_TEST_SUITE_END()
