// Signing up: what is made, what is told, and what is not taken.
#include "tests/e2e/support/members.hpp"
#include "tests/e2e/support/response_helpers.hpp"

#include <atomic>
#include <deque>
#include <string>
#include <thread>

using namespace flows;

namespace {

struct serving {
    support::database db;
    support::running_server server{db.conninfo()};
    support::http_client client{server.port()};

    support::response sign_up(std::string body) { return client.post(base + "/signup", std::move(body)); }
};

/// Of so many characters, and hard enough to guess.
std::string long_password(std::size_t length)
{
    std::string out = "seven unrelated words of it";
    out.resize(length, 'x');
    return out;
}

} // namespace

BOOST_AUTO_TEST_SUITE(accounts)

BOOST_FIXTURE_TEST_CASE(signing_up_makes_a_person_a_workspace_and_a_session, serving)
{
    auto made = sign_up(support::object({{"email", "Grace@Example.com"},
                                         {"password", "long enough"},
                                         {"name", "Grace Hopper"},
                                         {"workspace_name", "Navy"}}));
    BOOST_TEST(made.status == 201u);
    BOOST_TEST(made.header("Content-Type") == "application/json");
    BOOST_TEST(made.header("Cache-Control") == "no-store");
    BOOST_TEST(!made.header("X-Request-Id").empty());
    BOOST_TEST(members(made) == "user workspace membership access_token token_type expires_in refresh_token");
    BOOST_TEST(members(made, "/user") ==
               "id email name title email_verified avatar_url locale timezone created_at");
    BOOST_TEST(members(made, "/workspace") == "id name owner_id created_at");
    BOOST_TEST(members(made, "/membership") == "role is_owner joined_at");

    BOOST_TEST(is_id(made.text("/user/id")));
    BOOST_TEST(made.text("/user/email") == "Grace@Example.com");
    BOOST_TEST(made.text("/user/name") == "Grace Hopper");
    BOOST_TEST(at(made, "/user/title") == "null");
    BOOST_TEST(at(made, "/user/email_verified") == "false");
    BOOST_TEST(at(made, "/user/avatar_url") == "null");
    BOOST_TEST(made.text("/user/locale") == "en");
    BOOST_TEST(made.text("/user/timezone") == "UTC");
    BOOST_TEST(is_recent(made.text("/user/created_at")));

    BOOST_TEST(is_id(made.text("/workspace/id")));
    BOOST_TEST(made.text("/workspace/name") == "Navy");
    BOOST_TEST(made.text("/workspace/owner_id") == made.text("/user/id"));
    BOOST_TEST(is_recent(made.text("/workspace/created_at")));
    BOOST_TEST(made.text("/membership/role") == "admin");
    BOOST_TEST(at(made, "/membership/is_owner") == "true");
    BOOST_TEST(is_recent(made.text("/membership/joined_at")));
    BOOST_TEST(made.text("/token_type") == "bearer");
    BOOST_TEST(at(made, "/expires_in") == "3600");

    auto me = client.get(base + "/me", made.text("/access_token"));
    BOOST_TEST(at(me, "/user") == at(made, "/user"));
    BOOST_TEST(at(me, "/workspace") == at(made, "/workspace"));
    auto refresh = support::object({{"refresh_token", made.text("/refresh_token")}});
    BOOST_TEST(client.post(base + "/token/refresh", refresh).status == 200u);
}

BOOST_FIXTURE_TEST_CASE(names_may_be_left_out, serving)
{
    auto bare = sign_up(credentials("grace@example.com"));
    BOOST_TEST(at(bare, "/user/name") == "null");
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

BOOST_FIXTURE_TEST_CASE(an_address_has_one_account_whatever_its_case, serving)
{
    BOOST_TEST(sign_up(credentials("ada@example.com")).status == 201u);
    db.sql("UPDATE users SET email_verified_at = now()");
    for (auto email : {"ada@example.com", "ADA@EXAMPLE.COM", "Ada@example.Com"}) {
        auto again = sign_up(credentials(email));
        BOOST_TEST(again.status == 409u, email);
        BOOST_TEST(again.code() == "email_taken", email);
        BOOST_TEST(members(again) == "detail code");
    }
    for (auto table : {"users", "workspaces", "memberships", "sessions", "audit"})
        BOOST_TEST(db.sql("SELECT count(*) FROM " + std::string(table)) == "1", table);
}

BOOST_FIXTURE_TEST_CASE(an_address_that_nobody_has_verified_goes_to_the_newest, serving)
{
    auto older = sign_up(credentials("ada@example.com")), newer = sign_up(credentials("Ada@example.com"));
    BOOST_TEST(newer.status == 201u);
    BOOST_TEST(newer.text("/user/id") != older.text("/user/id"));
    BOOST_TEST(client.get(base + "/me", older.text("/access_token")).status == 401u);
    BOOST_TEST(client.get(base + "/me", newer.text("/access_token")).status == 200u);
    BOOST_TEST(client.post(base + "/login", credentials("ada@example.com")).text("/user/id") ==
               newer.text("/user/id"));
}

// Those who come later push out those before them, for nobody has verified the address; whoever finds another
// under way is told that it is taken.
BOOST_FIXTURE_TEST_CASE(of_many_who_sign_up_at_once_one_gets_the_address, serving)
{
    std::atomic<unsigned> made{0}, taken{0};
    std::vector<std::thread> crowd;
    for (int i = 0; i < 8; ++i)
        crowd.emplace_back([&] {
            support::http_client one(server.port());
            auto answer = one.post(base + "/signup", credentials("ada@example.com"));
            made += answer.status == 201u;
            taken += answer.status == 409u;
        });
    for (auto& one : crowd)
        one.join();
    BOOST_TEST(made >= 1u);
    BOOST_TEST(made + taken == 8u);
    BOOST_TEST(db.sql("SELECT count(*) FROM users WHERE email_normalized = 'ada@example.com'") == "1");
    BOOST_TEST(db.sql("SELECT count(*) FROM users WHERE disabled_at IS NULL") == "1");
    BOOST_TEST(db.sql("SELECT count(*) FROM sessions WHERE revoked_at IS NULL") == "1");
    BOOST_TEST(db.sql("SELECT count(*) FROM workspaces") == std::to_string(made));
}

BOOST_FIXTURE_TEST_CASE(every_fault_is_told_at_once, serving)
{
    auto bad =
        sign_up(R"({"email":"nonsense","password":"short","name":7,"workspace_name":"","role":"admin"})");
    BOOST_TEST(faults(bad) == "body.email value_error, body.name string_type, "
                              "body.password string_too_short, body.role extra_forbidden, "
                              "body.workspace_name string_too_short");
    BOOST_TEST(members(bad, "/detail/0") == "loc msg type");
    BOOST_TEST(faults(sign_up("{}")) == "body.email missing, body.password missing");
    BOOST_TEST(faults(sign_up(R"({"email":null,"password":[]})")) ==
               "body.email string_type, body.password string_type");
    BOOST_TEST(db.sql("SELECT count(*) FROM users") == "0");
}

BOOST_FIXTURE_TEST_CASE(a_password_has_two_bounds, serving)
{
    auto outcome = [&, n = 0](const std::string& password) mutable {
        return sign_up(credentials("p" + std::to_string(++n) + "@example.com", password));
    };
    BOOST_TEST(faults(outcome("1234567")) == "body.password string_too_short");
    BOOST_TEST(outcome("ux7 kq2m").status == 201u);
    BOOST_TEST(outcome("éèêëàâäå").status == 201u); // characters are counted, not bytes
    BOOST_TEST(outcome(long_password(1024)).status == 201u);
    BOOST_TEST(faults(outcome(long_password(1025))) == "body.password string_too_long");
    BOOST_TEST(outcome(std::string("with\0a zero", 11)).status == 201u);
}

BOOST_FIXTURE_TEST_CASE(a_password_that_is_guessed_at_once_is_weak, serving)
{
    for (auto password : {"12345678", "Passw0rd!", "ada@example.com", "qwertyuiop"}) {
        auto weak = sign_up(credentials("ada@example.com", password));
        BOOST_TEST(weak.status == 422u, password);
        BOOST_TEST(weak.code() == "weak_password", password);
    }
    BOOST_TEST(db.sql("SELECT count(*) FROM users") == "0");
}

BOOST_FIXTURE_TEST_CASE(a_password_counts_to_its_last_byte, serving)
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

BOOST_FIXTURE_TEST_CASE(names_are_fit_to_be_shown, serving)
{
    auto fault_of = [&](const std::string& name) {
        return faults(sign_up(
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

BOOST_FIXTURE_TEST_CASE(no_secret_is_stored, serving)
{
    auto made = sign_up(credentials("ada@example.com"));
    auto holds = [&](const std::string& table, const std::string& secret) {
        return db.sql("SELECT count(*) FROM " + table + " t WHERE t::text LIKE '%" + secret + "%'") != "0";
    };
    BOOST_TEST(holds("users", "ada@example.com"));
    for (auto table : {"users", "workspaces", "memberships", "sessions", "audit"})
        for (auto& secret :
             {std::string("long enough"), made.text("/access_token"), made.text("/refresh_token")})
            BOOST_TEST(!holds(table, secret), table);
    BOOST_TEST(db.sql("SELECT password_hash FROM users").starts_with("$argon2id$v=19$m=64,t=1,p=1$"));
}

BOOST_FIXTURE_TEST_CASE(a_signup_is_on_record, serving)
{
    client.set("User-Agent", "engine/1");
    client.set("X-Request-Id", "first-of-all");
    auto made = sign_up(credentials("ada@example.com"));
    BOOST_TEST(db.sql("SELECT concat_ws(' ', action, actor_id, workspace_id, ip, user_agent, request_id) "
                      "FROM audit") == "user.signup " + made.text("/user/id") + " " +
                                           made.text("/workspace/id") + " 127.0.0.1 engine/1 first-of-all");
}

BOOST_AUTO_TEST_CASE(an_access_token_says_who_where_and_until_when)
{
    signed_up world(
        {{"LATCHKEY_PUBLIC_URL", "https://id.example.com/"}, {"LATCHKEY_ACCESS_TOKEN_TTL", "90"}});
    auto keys = world.client.get("/.well-known/jwks.json");
    auto header = part_of(world.token, 0);
    BOOST_TEST(header.text("/typ") == "at+jwt");
    BOOST_TEST(header.text("/alg") == "ES256");
    BOOST_TEST(header.text("/kid") == keys.text("/keys/0/kid"));

    auto claims = part_of(world.token, 1);
    BOOST_TEST(members(claims) == "iss sub aud exp iat jti sid wid role");
    BOOST_TEST(claims.text("/iss") == "https://id.example.com");
    BOOST_TEST(claims.text("/aud") == "https://id.example.com");
    BOOST_TEST(claims.text("/sub") == world.user);
    BOOST_TEST(claims.text("/wid") == world.workspace);
    BOOST_TEST(claims.text("/role") == "admin");
    BOOST_TEST(is_id(claims.text("/jti")));
    auto me = world.client.get(base + "/me", world.token);
    BOOST_TEST(claims.text("/sid") == me.text("/credential/id"));
    BOOST_TEST(std::stoll(at(claims, "/exp")) - std::stoll(at(claims, "/iat")) == 90);
}

BOOST_AUTO_TEST_CASE(an_operator_may_prefer_eddsa)
{
    signed_up world({{"LATCHKEY_JWT_ALGORITHM", "EdDSA"}});
    BOOST_TEST(part_of(world.token, 0).text("/alg") == "EdDSA");
    BOOST_TEST(world.client.get("/.well-known/jwks.json").text("/keys/0/crv") == "Ed25519");
    BOOST_TEST(world.client.get(base + "/me", world.token).status == 200u);
}

BOOST_AUTO_TEST_SUITE_END()
