// Counting and reading the emails that a server has delivered as files.
#pragma once

#include "tests/e2e/support/account_fixture.hpp"
#include "tests/e2e/support/outbox.hpp"
#include "tests/support/mailbox.hpp"

#include <algorithm>
#include <string>
#include <string_view>

namespace e2e {

/// The number of emails of a kind delivered so far. Waits until none of the kind is queued.
inline std::size_t count_emails(const support::database& db, const support::running_server& server,
                                const std::string& kind)
{
    await_delivery(db, kind);
    auto all = support::mailbox(server.mail_folder()).emails();
    return static_cast<std::size_t>(std::ranges::count_if(
        all, [&](const support::email& one) { return one.headers.at("x-latchkey-kind") == kind; }));
}

/// Ada's account and her mailbox.
struct account_mail_fixture : account_fixture {
    explicit account_mail_fixture(const support::environment& settings = {}) : account_fixture(settings) {}

    std::size_t emails_sent(const std::string& kind) const { return count_emails(db, server, kind); }

    /// The next email to Ada with this subject. @throw bad_optional_access if none arrives
    support::email email_to_owner(std::string_view subject)
    {
        return mailbox.wait_for("ada@example.com", subject).value();
    }

    support::mailbox mailbox{server.mail_folder()};
};

} // namespace e2e
