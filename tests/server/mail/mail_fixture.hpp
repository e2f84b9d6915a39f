// A letter to send, and the mail server that takes it.
#pragma once

#include "server/mail/mail_transport.hpp"
#include "tests/support/third_party.hpp"

#include <memory>
#include <string>

namespace correspondence {

inline server::mail letter_to(const std::string& address)
{
    static int count = 0;
    server::mail out;
    out.from = {"Latchkey", "no-reply@id.example.org"};
    out.to = {"Ada Lovelace", address};
    out.subject = "Confirm your e-mail address";
    out.id = "letter-" + std::to_string(++count) + "@id.example.org";
    out.date = server::mail_date();
    out.text = "Hello,\n\nhttps://id.example.org/verify?token=abc_DEF-1\n";
    out.html = "<p>Hello</p>\n";
    return out;
}

inline server::smtp_settings plain(const support::mail_server& to)
{
    server::smtp_settings out;
    out.url = "smtp://127.0.0.1:" + std::to_string(to.port());
    out.is_local = true;
    return out;
}

inline bool never()
{
    return false;
}

} // namespace correspondence
