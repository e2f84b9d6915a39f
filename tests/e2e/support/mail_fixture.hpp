// What flows with mail begin with: a server that puts its letters down as files, and a mailbox that reads
// them.
#pragma once

#include "tests/e2e/support/members.hpp"
#include "tests/e2e/support/response_helpers.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/mailbox.hpp"
#include "tests/support/temporary_folder.hpp"

#include <string>
#include <string_view>
#include <utility>

namespace flows {

struct correspondence {
    explicit correspondence(support::environment settings = {})
        : server(db.conninfo(), with_folder(std::move(settings))), client(server.port()),
          mails(folder.path() + "/mail")
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

    /// The next letter to somebody; the test ends if there is none.
    support::letter letter_to(const std::string& email, std::string_view subject = {})
    {
        auto found = mails.wait_for(email, subject);
        BOOST_REQUIRE_MESSAGE(found.has_value(), "no letter to " + email + ": " + std::string(subject));
        return *found;
    }

    /// The token of the next such letter.
    std::string token_to(const std::string& email, std::string_view subject)
    {
        auto token = support::token_in(letter_to(email, subject));
        BOOST_REQUIRE(!token.empty());
        return token;
    }

    /// Whether nothing (more) comes: a letter is ordered before its cause is answered, so that it is enough
    /// to wait until all that were ordered are out.
    bool is_silent(const std::string& email, std::string_view subject = {})
    {
        bool out = support::eventually(std::chrono::seconds(20),
                                       [&] { return db.sql("SELECT count(*) FROM outbox") == "0"; });
        BOOST_REQUIRE(out);
        return !mails.wait_for(email, subject, std::chrono::milliseconds(0));
    }

    support::response verify(const std::string& token)
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
    support::mailbox mails;
};

inline constexpr std::string_view verify_subject = "Confirm your e-mail address";
inline constexpr std::string_view reset_subject = "Reset your password";
inline constexpr std::string_view changed_subject = "Your password was changed";

} // namespace flows
