// Which account a sign-in through an OpenID provider reaches: the matrix of what the provider is
// authoritative for, what is proved about the account with the address, and who is signed in.
#include "tests/e2e/support/browser.hpp"

#include <set>
#include <string>

using namespace e2e;

namespace {

const std::string address = "ada@example.org", secret = "long enough";
constexpr std::string_view linked_subject = "A sign-in provider was linked to your account";

/// The provider is authoritative for example.org on request, and for other domains otherwise.
struct linking_fixture : oidc_fixture {
    explicit linking_fixture(bool is_authoritative, support::environment more = {})
        : oidc_fixture(with_domains(is_authoritative, std::move(more)))
    {}

    static support::environment with_domains(bool is_authoritative, support::environment more)
    {
        more.emplace_back("LATCHKEY_GOOGLE_AUTHORITATIVE_DOMAINS",
                          is_authoritative ? "example.org" : "elsewhere.example");
        return more;
    }

    /// An account with the provider's address. @param state "unproved" or "proved"
    person add_account(const std::string& state)
    {
        auto made = sign_up(client, address);
        auto link = emailed_token(address, verify_subject);
        if (state == "proved")
            BOOST_REQUIRE(verify(link).status == 200u);
        return made;
    }

    std::string grants() { return db.sql("SELECT count(*) FROM oauth_grants"); }

    std::string verified(const std::string& user)
    {
        return db.sql("SELECT CASE WHEN is_proved(u) THEN 'proved' WHEN email_verified_at IS NULL THEN "
                      "'unverified' ELSE 'by link' END FROM users u WHERE id = '" +
                      user + "'");
    }
};

/// What one case of the matrix leads to.
std::string outcome_of(linking_fixture& fixture, const std::string& state, const std::string& session)
{
    person existing, other = sign_up(fixture.client, "bob@example.net");
    if (state != "none")
        existing = fixture.add_account(state);
    auto bearer = session == "own" ? existing.token : session == "other" ? other.token : "";
    auto opened = fixture.sign_in(bearer);
    if (opened.status != 200) {
        BOOST_TEST(fixture.grants() == "0");
        if (!existing.token.empty()) // nothing has happened to the account
            BOOST_TEST(fixture.log_in_with(address, secret).status == 200u);
        return std::to_string(opened.status) + " " + opened.code();
    }
    auto who = opened.text("/user/id");
    BOOST_TEST(who != other.user);
    BOOST_TEST(fixture.grants() == "1");
    BOOST_TEST(fixture.db.sql("SELECT user_id FROM oauth_grants") == who);
    // From now on the identity signs in to that account, with any session.
    BOOST_TEST(fixture.sign_in(other.token).text("/user/id") == who);
    BOOST_TEST(fixture.sign_in().text("/user/id") == who);
    bool keeps_account = who == existing.user;
    if (!existing.token.empty()) {
        BOOST_TEST((fixture.client.get(base + "/me", existing.token).status == 200u) == keeps_account);
        BOOST_TEST((fixture.log_in_with(address, secret).status == 200u) == keeps_account);
    }
    // The owner of an existing account gets a notice, at a verified address alone.
    bool is_verified = fixture.verified(who) == "proved";
    if (keeps_account && is_verified)
        fixture.email_to(address, linked_subject);
    BOOST_TEST(fixture.no_more_emails(address, linked_subject));
    return (keeps_account ? "linked " : "new ") + fixture.verified(who);
}

} // namespace

BOOST_AUTO_TEST_SUITE(provider_linking)

BOOST_AUTO_TEST_CASE(the_matrix_of_authority_proof_and_session)
{
    struct {
        bool is_authoritative;
        const char *account, *session, *expected;
    } const matrix[] = {
        {true, "none", "", "new proved"},
        {true, "none", "other", "new proved"},
        {true, "unproved", "", "new proved"}, // the planted account is replaced
        {true, "unproved", "other", "new proved"},
        {true, "unproved", "own", "linked proved"},
        {true, "proved", "", "linked proved"},
        {true, "proved", "other", "linked proved"},
        {true, "proved", "own", "linked proved"},
        {false, "none", "", "new unverified"},
        {false, "none", "other", "new unverified"},
        {false, "unproved", "", "409 link_required"},
        {false, "unproved", "other", "409 link_required"},
        {false, "unproved", "own", "linked unverified"},
        {false, "proved", "", "409 link_required"},
        {false, "proved", "other", "409 link_required"},
        {false, "proved", "own", "linked proved"},
    };
    for (auto& [is_authoritative, account, session, expected] : matrix)
        for (auto hosted_domain : {"", "example.org"}) // of a provider other than Google, it means nothing
            BOOST_TEST_CONTEXT("authoritative " << is_authoritative << ", account " << account << ", session "
                                                << session << ", hd " << hosted_domain)
            {
                linking_fixture fixture(is_authoritative);
                if (*hosted_domain)
                    fixture.set_claims({{"hd", hosted_domain}});
                BOOST_TEST(outcome_of(fixture, account, session) == expected);
            }
}

BOOST_AUTO_TEST_CASE(an_address_that_the_provider_has_not_verified_links_nothing)
{
    for (bool is_authoritative : {true, false})
        for (auto account : {"none", "unproved", "proved"}) {
            linking_fixture fixture(is_authoritative);
            if (account != std::string_view("none"))
                fixture.add_account(account);
            fixture.set_claims({{"email_verified", false}});
            BOOST_TEST(fixture.error() == "email_not_verified");
            BOOST_TEST(fixture.grants() == "0");
        }
}

BOOST_AUTO_TEST_CASE(a_linked_identity_signs_in_with_any_address)
{
    linking_fixture fixture(true);
    auto who = fixture.sign_in().text("/user/id");
    auto bob = sign_up(fixture.client, "bob@example.org");
    for (auto& claims : std::vector<boost::json::object>{{{"email", "bob@example.org"}},
                                                         {{"email_verified", false}},
                                                         {{"email", nullptr}},
                                                         {{"email", "no address"}}}) {
        provider().reset();
        fixture.set_claims(claims);
        BOOST_TEST(fixture.sign_in().text("/user/id") == who, boost::json::serialize(claims));
    }
    BOOST_TEST(fixture.client.get(base + "/me", bob.token).status == 200u);
    BOOST_TEST(fixture.db.sql("SELECT email FROM oauth_grants") ==
               "bob@example.org"); // the last verified one
}

BOOST_AUTO_TEST_CASE(linking_needs_a_session_and_a_fresh_one)
{
    linking_fixture fixture(false);
    auto ada = fixture.add_account("proved");
    auto key = fixture.post("/api-keys", R"({"name":"k"})", ada.token).text("/secret");
    for (auto& bearer : {key, std::string("nonsense"), ada.token + "x", ada.refresh_token})
        BOOST_TEST(fixture.sign_in(bearer).code() == "link_required");
    fixture.db.sql("UPDATE sessions SET created_at = now() - interval '6 minutes'");
    auto stale = fixture.sign_in(ada.token);
    BOOST_TEST(stale.status == 403u);
    BOOST_TEST(stale.code() == "reauthentication_required");
    BOOST_TEST(fixture.post("/logout", "", ada.token).status == 204u);
    BOOST_TEST(fixture.sign_in(ada.token).code() == "link_required");
    BOOST_TEST(fixture.grants() == "0");

    ada = log_in(fixture.client, address);
    auto linked = fixture.sign_in(ada.token);
    BOOST_TEST(linked.status == 200u);
    BOOST_TEST(linked.text("/user/id") == ada.user);
    auto notice = fixture.email_to(address, linked_subject);
    BOOST_TEST(notice.text.find("127.0.0.1") != std::string::npos);
    auto trail = fixture.client.get(base + "/me/oauth-grants", ada.token);
    BOOST_TEST(item_count(trail) == 1u);
    BOOST_TEST(fixture.db.sql("SELECT count(*) FROM audit WHERE action = 'oauth.link' AND actor_id = '" +
                              ada.user + "'") == "1");
}

BOOST_AUTO_TEST_CASE(a_code_of_another_flow_cannot_be_linked)
{
    linking_fixture fixture(false);
    auto ada = fixture.add_account("proved");
    auto code = query_parameter(fixture.consent(), "code"); // an attacker's, handed to the client of Ada
    BOOST_TEST(fixture.exchange(code, std::string(43, 'w'), ada.token).code() == "invalid_token");
    BOOST_TEST(fixture.exchange(code, std::nullopt, ada.token).code() == "invalid_token");
    BOOST_TEST(fixture.grants() == "0");
}

BOOST_AUTO_TEST_CASE(an_identity_with_another_address_is_not_linked_to_the_session)
{
    linking_fixture fixture(false);
    auto ada = fixture.add_account("proved");
    fixture.set_claims({{"email", "zoe@example.org"}});
    auto opened = fixture.sign_in(ada.token);
    BOOST_TEST(opened.status == 200u);
    BOOST_TEST(opened.text("/user/id") != ada.user);
}

BOOST_AUTO_TEST_CASE(an_identity_of_another_issuer_does_not_sign_in)
{
    linking_fixture fixture(false);
    auto mallory = sign_up(fixture.client, "mallory@example.net");
    fixture.db.sql(
        "INSERT INTO oauth_grants (provider, issuer, subject, user_id, email, sealed_tokens) VALUES "
        "('google', 'https://accounts.google.com', '1089', '" +
        mallory.user + "', 'mallory@example.net', '')");
    auto opened = fixture.sign_in(); // the same subject at the configured issuer
    BOOST_TEST(opened.text("/user/email") == address);
    BOOST_TEST(fixture.grants() == "2");
    auto listed = fixture.client.get(base + "/me/oauth-grants", mallory.token);
    BOOST_TEST(listed.text("/items/0/issuer") == "https://accounts.google.com");

    // Its tokens are sent to its own issuer only, which is not configured.
    BOOST_TEST(fixture.client.del(base + "/me/oauth-grants/google", mallory.token).status == 204u);
    fixture.db.sql(
        "INSERT INTO oauth_revocations (id, provider, issuer, sealed_tokens) SELECT "
        "gen_random_uuid(), 'google', 'https://accounts.google.com', sealed_tokens FROM oauth_grants");
    BOOST_TEST(support::eventually([&] {
        return fixture.db.sql("SELECT count(*) FROM oauth_revocations WHERE next_attempt_at > now()") == "1";
    }));
    BOOST_TEST(provider().hits("revoke") == 0);
}

BOOST_AUTO_TEST_CASE(an_unverified_account_is_proved_by_its_link_and_its_provider)
{
    linking_fixture fixture(false);
    auto opened = fixture.sign_in();
    auto who = opened.text("/user/id");
    BOOST_TEST(json_at(opened, "/user/email_verified") == "false");
    auto link = fixture.emailed_token(address, verify_subject);
    auto verify_with = [&](const std::string& code, const std::string& verifier) {
        return fixture.post(
            "/email/verify",
            support::object({{"token", link}, {"provider_code", code}, {"code_verifier", verifier}}));
    };
    BOOST_TEST(verify_with("nonsense", fixture.verifier).code() == "invalid_token");
    BOOST_TEST(verify_with(query_parameter(fixture.consent(), "code"), "wrong").code() == "invalid_token");
    fixture.set_claims({{"sub", "another"}});
    auto other = verify_with(query_parameter(fixture.consent(), "code"), fixture.verifier);
    BOOST_TEST(other.status == 403u);
    BOOST_TEST(other.code() == "invalid_credentials");
    fixture.set_claims({{"sub", "1089"}});
    BOOST_TEST(fixture.verified(who) == "unverified");
    BOOST_TEST(verify_with(query_parameter(fixture.consent(), "code"), fixture.verifier).status == 200u);
    BOOST_TEST(fixture.verified(who) == "proved");
}

BOOST_AUTO_TEST_CASE(the_true_owner_gets_the_address_of_an_unverified_account)
{
    linking_fixture fixture(false);
    auto stale = fixture.sign_in(); // by an earlier owner of the address
    fixture.post("/password/forgot", support::object({{"email", address}}));
    auto reset = support::object(
        {{"token", fixture.emailed_token(address, reset_subject)}, {"password", "chosen by herself"}});
    BOOST_TEST(fixture.post("/password/reset", reset).status == 204u);
    BOOST_TEST(fixture.client.get(base + "/me", stale.text("/access_token")).status == 401u);
    auto owner = fixture.log_in_with(address, "chosen by herself");
    BOOST_TEST(owner.status == 200u);
    BOOST_TEST(owner.text("/user/id") != stale.text("/user/id"));
    BOOST_TEST(fixture.sign_in().code() == "link_required");
    BOOST_TEST(fixture.sign_in(owner.text("/access_token")).text("/user/id") == owner.text("/user/id"));
}

BOOST_AUTO_TEST_CASE(with_required_verification_the_link_makes_the_account)
{
    linking_fixture fixture(false, {{"LATCHKEY_EMAIL_VERIFICATION", "required"}});
    for (bool with_proof : {false, true}) {
        auto waits = fixture.sign_in();
        BOOST_TEST(waits.status == 403u);
        BOOST_TEST(waits.code() == "email_not_verified");
        BOOST_TEST(fixture.db.sql("SELECT count(*) FROM users") == "0");
        auto link = fixture.emailed_token(address, verify_subject);
        boost::json::object body{{"token", link}};
        if (with_proof) {
            fixture.set_claims({{"sub", "another"}});
            body["provider_code"] = query_parameter(fixture.consent(), "code");
            body["code_verifier"] = fixture.verifier;
            BOOST_TEST(fixture.post("/email/verify", boost::json::serialize(body)).code() ==
                       "invalid_credentials");
            fixture.set_claims({{"sub", "1089"}});
            body["provider_code"] = query_parameter(fixture.consent(), "code");
        }
        BOOST_TEST(fixture.post("/email/verify", boost::json::serialize(body)).status == 200u);
        auto opened = fixture.sign_in();
        BOOST_TEST(opened.status == 200u, opened.body);
        auto who = opened.text("/user/id");
        BOOST_TEST(fixture.verified(who) == (with_proof ? "proved" : "by link"));
        BOOST_TEST(json_at(opened, "/user/email_verified") == "true");
        fixture.db.sql_with_invalidation("DELETE FROM workspaces; DELETE FROM users");
    }
}

BOOST_AUTO_TEST_CASE(with_required_verification_no_sign_up_locks_an_address)
{
    linking_fixture fixture(false, {{"LATCHKEY_EMAIL_VERIFICATION", "required"}});
    std::set<std::string> links;
    for (auto subject : {"one", "two"}) {
        fixture.set_claims({{"sub", subject}});
        BOOST_TEST(fixture.sign_in().code() == "email_not_verified");
        links.insert(fixture.emailed_token(address, verify_subject));
    }
    BOOST_TEST(fixture.post("/signup", credentials(address)).status == 202u);
    auto mine = fixture.emailed_token(address, verify_subject);
    BOOST_TEST(fixture.verify(mine).status == 200u);
    for (auto& link : links) // the others have lapsed
        BOOST_TEST(fixture.verify_by_link_only(link).code() == "invalid_token");
    BOOST_TEST(fixture.log_in_with(address, secret).status == 200u);
    BOOST_TEST(fixture.sign_in().code() == "link_required");
}

BOOST_AUTO_TEST_SUITE_END()
