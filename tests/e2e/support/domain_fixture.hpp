// Ada's workspace with a join domain, and users who sign up with an address in it.
#pragma once

#include "tests/e2e/support/all_cores.hpp"
#include "tests/e2e/support/invite_fixture.hpp"
#include "tests/e2e/support/outbox.hpp"

#include <string>

namespace e2e {

inline constexpr std::string_view join_request_subject = "asks to join";

/// Ada has verified her address; Mel is an admin with an unverified one.
struct domain_fixture : invite_fixture {
    explicit domain_fixture(const support::environment& settings = {}) : invite_fixture(settings)
    {
        unverify_address(db, "mel@example.com");
        BOOST_REQUIRE(client.patch(base + "/team/" + mel.user, R"({"role":"admin"})", token).status == 200u);
        set_join_policy("approval");
    }

    void set_join_policy(const std::string& policy, const std::string& domain = "example.com")
    {
        auto body = support::object({{"join_policy", policy}, {"join_domain", domain}});
        auto changed = client.patch(base + "/workspace", body, token);
        BOOST_REQUIRE_MESSAGE(changed.status == 200u, changed.body);
    }

    support::response post_signup(const std::string& email)
    {
        return post("/signup",
                    support::object({{"email", email}, {"password", "long enough"}, {"name", "Zoe Z."}}));
    }

    /// Sign up as a user who has to wait for approval.
    person sign_up_pending(const std::string& email)
    {
        auto made = post_signup(email);
        BOOST_REQUIRE_MESSAGE(made.status == 201u, made.body);
        BOOST_REQUIRE_MESSAGE(json_at(made, "/workspace") == "null", made.body);
        return person_from(made);
    }

    /// The body of POST /email/verify with the token of the next verification email.
    std::string verification_body(const std::string& email)
    {
        return support::object(
            {{"token", emailed_token(email, "Confirm your email address")}, {"password", "long enough"}});
    }

    void verify(const std::string& email)
    {
        BOOST_REQUIRE(post("/email/verify", verification_body(email)).status == 200u);
    }

    person sign_up_verified(const std::string& email)
    {
        auto out = sign_up_pending(email);
        verify(email);
        return out;
    }

    support::response requests(const std::string& query = "")
    {
        return client.get(base + "/team/requests" + query, token);
    }

    support::response decide(const std::string& user_id, const std::string& decision, const std::string& with)
    {
        return post("/team/requests/" + user_id + "/" + decision, "", with);
    }

    support::response approve(const std::string& user_id) { return decide(user_id, "approve", token); }
    support::response reject(const std::string& user_id) { return decide(user_id, "reject", token); }

    /// Refresh a session. @return the id of its workspace; empty if it has none
    std::string refresh_workspace(person& user)
    {
        auto renewed = post("/token/refresh", support::object({{"refresh_token", user.refresh_token}}));
        BOOST_REQUIRE_MESSAGE(renewed.status == 200u, renewed.body);
        user.refresh_token = renewed.text("/refresh_token");
        user.token = renewed.text("/access_token");
        return renewed.text("/workspace/id");
    }

    /// Whether, once everything queued is delivered, no further email with this subject has arrived.
    bool no_more_emails(const std::string& email, std::string_view subject)
    {
        await_delivery(db);
        return !mailbox.wait_for(email, subject, std::chrono::milliseconds(0));
    }
};

} // namespace e2e
