// The letters that a server under test has put down.
#pragma once

#include "tests/e2e/support/signed_up.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/mailbox.hpp"

#include <algorithm>
#include <chrono>
#include <string>

namespace flows {

/** How many letters of a kind have been written so far. Waits until they are out. */
inline std::size_t letters_of(const support::database& db, const support::running_server& server,
                              const std::string& kind)
{
    bool out = support::eventually(std::chrono::seconds(20), [&] {
        return db.sql("SELECT count(*) FROM outbox WHERE kind = '" + kind + "'") == "0";
    });
    BOOST_REQUIRE_MESSAGE(out, "a letter is not sent");
    auto all = support::mailbox(server.mail_folder()).letters();
    return static_cast<std::size_t>(std::ranges::count_if(
        all, [&](const support::letter& one) { return one.headers.at("x-latchkey-kind") == kind; }));
}

/// Somebody who has signed up, and what they are sent.
struct correspondent : signed_up {
    explicit correspondent(const support::environment& settings = {}) : signed_up(settings) {}

    std::size_t letters(const std::string& kind) const { return letters_of(db, server, kind); }

    /// The next to Ada with this subject. @throw if none comes
    support::letter wait_for(std::string_view subject)
    {
        return box.wait_for("ada@example.com", subject).value();
    }

    support::mailbox box{server.mail_folder()};
};

} // namespace flows
