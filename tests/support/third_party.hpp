// Servers that others wrote, each as a process of its own: tests/third_party, of which scripts/test-server
// fetches the packages.
#pragma once

#include "tests/support/certificate.hpp"
#include "tests/support/child_process.hpp"
#include "tests/support/email.hpp"

#include <boost/json/object.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace support {

/** A process that tells of itself by lines of JSON on its standard output. */
class peer {
public:
    /** Returns when it has told the first fact. Takes about a second.
        @throw runtime_error if it ends before; it says why on standard error */
    peer(const std::string& name, const boost::json::object& options);

    /// The first fact: where it listens.
    const boost::json::object& start() const { return start_; }

    /// All facts told so far, the first included.
    std::vector<boost::json::object> facts() const;

    /// Such as SIGSTOP and SIGCONT.
    void send(int signal) const { process_.send(signal); }

    /// From now on nothing listens there.
    void kill() { process_.kill(); }

private:
    child_process process_;
    boost::json::object start_;
};

/// A mailbox of a letter's header, decoded.
struct name_and_address {
    std::string name, address;
};

/// A letter as mailparser reads it, and how it came.
struct mail : letter {
    name_and_address sender, reader;
    std::string connection; // what has the same came over the same
    bool tls = false;
    std::optional<std::string> user; // who was logged in
    std::string from;                // of the envelope, as are the recipients
    std::vector<std::string> recipients;
    std::string raw;
};

struct mail_options {
    const certificate* tls = nullptr; // offer STARTTLS
    bool implicit_tls = false;        // TLS from the first byte instead
    std::string user; // unless empty: PLAIN or LOGIN is needed, and if there is TLS, only under it
    std::string password;
    std::string stall; // "greeting" or "data": take the connection, or a whole mail, and say no more
    std::map<std::string, int> refuse; // by the recipient: answer RCPT so
    std::vector<std::string> grey;     // recipients to answer 451 the first time
    int reject = 0;                    // unless 0: answer every whole mail so
    std::chrono::milliseconds delay{}; // before a whole mail is answered
    std::chrono::milliseconds idle{};  // unless 0: close a connection on which nothing has come for so long
};

/** A mail server on a free port of 127.0.0.1. */
class mail_server {
public:
    explicit mail_server(const mail_options& options = {});

    std::uint16_t port() const;

    /// All mails accepted so far, in their order. One is here before its client knows that it was accepted.
    std::vector<mail> mails() const;
    std::size_t count() const { return mails().size(); }

    /** Wait for a mail that was not returned before; the oldest such. @throw runtime_error if none comes in
     * time */
    mail wait_for(const std::function<bool(const mail&)>& is_meant,
                  std::chrono::milliseconds limit = std::chrono::seconds(10));

    /// One to this recipient of the envelope, whose subject holds a text.
    mail wait_for(std::string_view recipient, std::string_view subject = {},
                  std::chrono::milliseconds limit = std::chrono::seconds(10));

    void send(int signal) const { peer_.send(signal); }
    void kill() { peer_.kill(); }

private:
    peer peer_;
    std::vector<bool> returned_; // as mails()
};

/** An OpenID provider, https on a free port of localhost, whose authorization endpoint agrees at once. It
   checks PKCE (S256), redirect_uri, client_id and that codes are used once; any client_secret is right. */
class oidc_issuer {
public:
    explicit oidc_issuer(const certificate& tls);

    /// https://localhost:…
    const std::string& issuer() const { return issuer_; }

    /** Change what it does; tests/third_party/oidc.mjs lists what there is, such as {"claims":
       {"email_verified": false}},
        {"alg": "none"}, {"rotate": true}, {"delay_ms": {"token": 5000}}. */
    void set(const boost::json::object& settings) const;

    /// Back to the defaults, with an empty log.
    void reset() const;

    /// {"hits": {"token": 1, …}, "authorize": last query, "token": last form, "revoked": [token, …]}
    boost::json::object log() const;

    /// How often an endpoint was asked: discovery, jwks, authorize, token, revoke.
    std::int64_t hits(std::string_view endpoint) const;

    void send(int signal) const { peer_.send(signal); }
    void kill() { peer_.kill(); }

private:
    peer peer_;
    std::string issuer_;
    std::uint16_t control_;
};

} // namespace support
