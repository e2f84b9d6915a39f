// Third-party servers (SMTP, OpenID provider), each a process of its own: tests/third_party, started by
// scripts/test-server, which fetches their packages.
#pragma once

#include "tests/support/certificate.hpp"
#include "tests/support/child_process.hpp"
#include "tests/support/email.hpp"
#include "tests/support/eventually.hpp"

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

/// A process that reports events as lines of JSON on its standard output.
class third_party_server {
public:
    /** Returns after the first event. Takes about a second.
        @throw runtime_error if the process ends before; standard error has the reason */
    third_party_server(const std::string& name, const boost::json::object& options);

    /// The first event: the ports it listens on.
    const boost::json::object& start() const { return start_; }

    /// All events so far, the first included.
    std::vector<boost::json::object> events() const;

    /// Send a signal, such as SIGSTOP and SIGCONT.
    void send(int signal) const { process_.send(signal); }

    /// SIGKILL: from now on nothing listens on its ports.
    void kill() { process_.kill(); }

private:
    child_process process_;
    boost::json::object start_;
};

/// A decoded mailbox in a header.
struct name_and_address {
    std::string name, address;
};

/// An email as mailparser reads it, with its SMTP envelope and connection.
struct received_email : email {
    name_and_address sender, reader;
    /// Equal for emails received over the same connection.
    std::string connection;
    bool tls = false;
    /// The authenticated SMTP user.
    std::optional<std::string> user;
    /// Of the envelope, as are the recipients.
    std::string from;
    std::vector<std::string> recipients;
    std::string raw;
    /// When it was accepted.
    std::chrono::system_clock::time_point at;
};

struct mail_server_options {
    /// Offer STARTTLS.
    const certificate* tls = nullptr;
    /// TLS from the first byte instead.
    bool implicit_tls = false;
    /// Unless empty: require PLAIN or LOGIN, and if there is TLS, only over TLS.
    std::string user;
    std::string password;
    /// "greeting" or "data": accept the connection, or a whole email, and send nothing more.
    std::string stall;
    /// By recipient: the reply to RCPT.
    std::map<std::string, int> refuse;
    /// Recipients with a first attempt that is answered with 451 (greylisting).
    std::vector<std::string> grey;
    /// Unless 0: the reply to every whole email.
    int reject = 0;
    /// Before the reply to a whole email.
    std::chrono::milliseconds delay{};
    /// Before the reply to a connection and to each command.
    std::chrono::milliseconds latency{};
    /// Unless 0: close connections that are idle for so long.
    std::chrono::milliseconds idle{};
};

/// A mail server on a free port of 127.0.0.1.
class mail_server {
public:
    explicit mail_server(const mail_server_options& options = {});

    std::uint16_t port() const;

    /// All accepted emails, in order. An email is listed before its client receives the acceptance.
    std::vector<received_email> emails() const;
    std::size_t count() const { return emails().size(); }

    /** Wait for an email that was not returned before; the oldest such.
        @throw runtime_error if none arrives in time */
    received_email wait_for(const std::function<bool(const received_email&)>& is_meant,
                            std::chrono::milliseconds limit = default_deadline);

    /// The same for an email to this envelope recipient with a text in its subject.
    received_email wait_for(std::string_view recipient, std::string_view subject = {},
                            std::chrono::milliseconds limit = default_deadline);

    void send(int signal) const { process_.send(signal); }
    void kill() { process_.kill(); }

private:
    third_party_server process_;
    /// Parallel to emails().
    std::vector<bool> returned_;
};

/** An OpenID provider, https on a free port of localhost, with an authorization endpoint that consents at
    once. It checks PKCE (S256), redirect_uri, client_id and that codes are used once; any client_secret is
    accepted.
 */
class oidc_issuer {
public:
    explicit oidc_issuer(const certificate& tls);

    /// https://localhost:…
    const std::string& issuer() const { return issuer_; }

    /** Change its behavior; tests/third_party/oidc.mjs lists the settings, such as {"claims":
        {"email_verified": false}},
        {"alg": "none"}, {"rotate": true}, {"delay_ms": {"token": 5000}}. */
    void set(const boost::json::object& settings) const;

    /// Back to the defaults, with an empty log.
    void reset() const;

    /// {"hits": {"token": 1, …}, "authorize": last query, "token": last form, "revoked": [token, …]}
    boost::json::object log() const;

    /// The number of requests to an endpoint: discovery, jwks, authorize, token, revoke.
    std::int64_t hits(std::string_view endpoint) const;

    void send(int signal) const { process_.send(signal); }
    void kill() { process_.kill(); }

private:
    third_party_server process_;
    std::string issuer_;
    std::uint16_t control_;
};

} // namespace support
