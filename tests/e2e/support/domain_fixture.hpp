// Ada's workspace with a domain, and people who sign up with an address of it.
#pragma once

#include "tests/e2e/support/all_cores.hpp"
#include "tests/e2e/support/invite_fixture.hpp"
#include "tests/support/eventually.hpp"

#include <string>

namespace flows {

inline constexpr std::string_view asked_subject = "asks to join";

/// Ada has proved her address, and Mel is an admin who has not.
struct domain : inviting {
    explicit domain(const support::environment& settings = {}) : inviting(settings)
    {
        verify_address("ada@example.com");
        BOOST_REQUIRE(client.patch(base + "/team/" + mel.user, R"({"role":"admin"})", token).status == 200u);
        set_up("approval");
    }

    void set_up(const std::string& policy, const std::string& of = "example.com")
    {
        auto body = support::object({{"join_policy", policy}, {"join_domain", of}});
        auto changed = client.patch(base + "/workspace", body, token);
        BOOST_REQUIRE_MESSAGE(changed.status == 200u, changed.body);
    }

    support::response arrive(const std::string& email)
    {
        return post("/signup",
                    support::object({{"email", email}, {"password", "long enough"}, {"name", "Zoe Z."}}));
    }

    /// Somebody signs up who is to wait.
    person newcomer(const std::string& email)
    {
        auto made = arrive(email);
        BOOST_REQUIRE_MESSAGE(made.status == 201u, made.body);
        BOOST_REQUIRE_MESSAGE(at(made, "/workspace") == "null", made.body);
        return person_of(made);
    }

    /// What the next letter to this address asks its reader to send.
    std::string confirmation_of(const std::string& email)
    {
        return support::object({{"token", token_to(email, "Confirm your e-mail address")}});
    }

    void verify(const std::string& email)
    {
        BOOST_REQUIRE(post("/email/verify", confirmation_of(email)).status == 200u);
    }

    person verified_newcomer(const std::string& email)
    {
        auto who = newcomer(email);
        verify(email);
        return who;
    }

    support::response requests(const std::string& query = "")
    {
        return client.get(base + "/team/requests" + query, token);
    }

    support::response settle(const std::string& whom, const std::string& how, const std::string& with)
    {
        return post("/team/requests/" + whom + "/" + how, "", with);
    }

    support::response approve(const std::string& whom) { return settle(whom, "approve", token); }
    support::response reject(const std::string& whom) { return settle(whom, "reject", token); }

    /// The workspace that the person's session leads to by now; empty if to none.
    std::string refreshed_to(person& who)
    {
        auto renewed = post("/token/refresh", support::object({{"refresh_token", who.refresh_token}}));
        BOOST_REQUIRE_MESSAGE(renewed.status == 200u, renewed.body);
        who.refresh_token = renewed.text("/refresh_token");
        who.token = renewed.text("/access_token");
        return renewed.text("/workspace/id");
    }

    /// Whether nothing (more) comes: a letter is ordered before its cause is answered, so that it is enough
    /// to wait until all that were ordered are out.
    bool is_silent(const std::string& email, std::string_view subject)
    {
        bool out = support::eventually(std::chrono::seconds(20),
                                       [&] { return db.sql("SELECT count(*) FROM outbox") == "0"; });
        BOOST_REQUIRE(out);
        return !mails.wait_for(email, subject, std::chrono::milliseconds(0));
    }
};

} // namespace flows
