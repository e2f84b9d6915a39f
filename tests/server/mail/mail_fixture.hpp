// Mail fixture: an email to send, and settings for a local mail server.
#pragma once

#include "server/mail/mail_transport.hpp"
#include "tests/support/third_party.hpp"

#include <memory>
#include <string>

namespace server::test {

inline server::mail_message make_email(const std::string& address)
{
    static int count = 0;
    server::mail_message out;
    out.from = {"Latchkey", "no-reply@id.example.org"};
    out.to = {"Ada Lovelace", address};
    out.subject = "Confirm your email address";
    out.id = "email-" + std::to_string(++count) + "@id.example.org";
    out.date = server::mail_date();
    out.text = "Hello,\n\nhttps://id.example.org/verify#token=abc_DEF-1\n";
    out.html = "<p>Hello</p>\n";
    return out;
}

/// Settings for a local server, without TLS.
inline server::smtp_settings local_settings(const support::mail_server& server)
{
    server::smtp_settings out;
    out.url = "smtp://127.0.0.1:" + std::to_string(server.port());
    out.is_local = true;
    return out;
}

/// For `is_stopping`.
inline bool never()
{
    return false;
}

} // namespace server::test
