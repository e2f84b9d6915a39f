// A server that delivers its emails as files, and the mailbox that reads them.
#pragma once

#include "tests/e2e/support/members.hpp"
#include "tests/e2e/support/outbox.hpp"
#include "tests/e2e/support/response_helpers.hpp"
#include "tests/support/mailbox.hpp"
#include "tests/support/temporary_folder.hpp"

#include <string>
#include <string_view>
#include <utility>

namespace e2e {

struct mail_fixture {
    explicit mail_fixture(support::environment settings = {})
        : server(db.conninfo(), with_folder(std::move(settings))), client(server.port()),
          mailbox(folder.path() + "/mail")
    {}

    support::environment with_folder(support::environment settings) const
    {
        settings.emplace_back("LATCHKEY_DATA_DIR", folder.path());
        return settings;
    }

    support::response post(std::string_view path, std::string body, std::string_view token = {})
    {
        return client.post(base + std::string(path), std::move(body), token);
    }

    /// The next email to this address; the test fails if none arrives.
    support::email email_to(const std::string& email, std::string_view subject = {})
    {
        auto found = mailbox.wait_for(email, subject);
        BOOST_REQUIRE_MESSAGE(found.has_value(), "no email to " + email + ": " + std::string(subject));
        return *found;
    }

    /// The token in the next such email.
    std::string emailed_token(const std::string& email, std::string_view subject)
    {
        auto token = support::token_in(email_to(email, subject));
        BOOST_REQUIRE(!token.empty());
        return token;
    }

    /// Whether, once everything queued is delivered, no further email with this subject has arrived.
    bool no_more_emails(const std::string& email, std::string_view subject = {})
    {
        await_delivery(db);
        return !mailbox.wait_for(email, subject, std::chrono::milliseconds(0));
    }

    /// Prove an account by the link and its password.
    support::response verify(const std::string& token, const std::string& password = "long enough")
    {
        return post("/email/verify", support::object({{"token", token}, {"password", password}}));
    }

    /// Open the link without the password, as the owner of an address may who did not sign up.
    support::response verify_by_link_only(const std::string& token)
    {
        return post("/email/verify", support::object({{"token", token}}));
    }

    support::response log_in_with(const std::string& email, const std::string& password)
    {
        return post("/login", credentials(email, password));
    }

    support::temporary_folder folder;
    support::database db;
    support::running_server server;
    support::http_client client;
    support::mailbox mailbox;
};

inline constexpr std::string_view verify_subject = "Confirm your email address";
inline constexpr std::string_view reset_subject = "Reset your password";
inline constexpr std::string_view changed_subject = "Your password was changed";

} // namespace e2e
