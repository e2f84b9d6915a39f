// SMTP transport against a third-party mail server: TLS, login, classification of errors, connection reuse.
#include "tests/server/mail/mail_fixture.hpp"
#include "tests/support/certificate.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <csignal>
#include <optional>
#include <set>
#include <stdlib.h>
#include <string>
#include <thread>

using server::delivery;
using server::test::make_email;
using server::test::never;
using namespace std::chrono_literals;

namespace {

/// Scope in which this process trusts one certificate.
class trust_scope {
public:
    explicit trust_scope(const support::certificate& certificate)
    {
        if (auto before = getenv("SSL_CERT_FILE"))
            before_ = before;
        setenv("SSL_CERT_FILE", certificate.cert().c_str(), 1);
    }
    ~trust_scope()
    {
        if (before_)
            setenv("SSL_CERT_FILE", before_->c_str(), 1);
        else
            unsetenv("SSL_CERT_FILE");
    }
    trust_scope(const trust_scope&) = delete;
    trust_scope& operator=(const trust_scope&) = delete;

private:
    std::optional<std::string> before_;
};

/// Settings for a server as if on another host: TLS is required.
server::smtp_settings remote_settings(const support::mail_server& to, const std::string& scheme = "smtp://",
                                      const std::string& host = "localhost")
{
    server::smtp_settings out;
    out.url = scheme + host + ":" + std::to_string(to.port());
    return out;
}

delivery send(const server::smtp_settings& to,
              const server::mail_message& email = make_email("ada@example.org"))
{
    return server::make_smtp_transport(to, never)->send(email);
}

void check_sent(const delivery& result)
{
    BOOST_TEST((result.status == delivery::sent), result.cause);
    BOOST_TEST(!result.server_unavailable);
    BOOST_TEST(result.cause == "");
}

/// Deferred for a reason that concerns every message.
void check_unavailable(const delivery& result)
{
    BOOST_TEST((result.status == delivery::deferred));
    BOOST_TEST(result.server_unavailable);
    BOOST_TEST(result.cause != "");
}

support::mail_server_options with(const support::certificate& tls)
{
    support::mail_server_options out;
    out.tls = &tls;
    return out;
}

} // namespace

BOOST_AUTO_TEST_SUITE(smtp_transport)

BOOST_AUTO_TEST_CASE(tls_is_optional_for_a_local_server)
{
    support::mail_server mail_server;
    check_sent(send(server::test::local_settings(mail_server)));
    auto received = mail_server.wait_for("ada@example.org");
    BOOST_TEST(!received.tls);
    BOOST_TEST(!received.user);
}

BOOST_AUTO_TEST_CASE(tls_is_required_for_a_remote_server)
{
    support::mail_server mail_server;
    check_unavailable(send(remote_settings(mail_server)));
    BOOST_TEST(mail_server.count() == 0u);
}

BOOST_AUTO_TEST_CASE(tls_is_used_where_the_server_offers_it)
{
    support::certificate tls;
    trust_scope trusted(tls);
    support::mail_server mail_server(with(tls));
    check_sent(send(remote_settings(mail_server)));
    BOOST_TEST(mail_server.wait_for("ada@example.org").tls);
    auto local = remote_settings(mail_server);
    local.is_local = true; // optional, but used when offered
    check_sent(send(local));
    BOOST_TEST(mail_server.wait_for("ada@example.org").tls);
}

BOOST_AUTO_TEST_CASE(implicit_tls_is_supported)
{
    support::certificate tls;
    trust_scope trusted(tls);
    auto options = with(tls);
    options.implicit_tls = true;
    support::mail_server mail_server(options);
    check_sent(send(remote_settings(mail_server, "smtps://")));
    BOOST_TEST(mail_server.wait_for("ada@example.org").tls);
}

BOOST_AUTO_TEST_CASE(an_untrusted_certificate_is_rejected)
{
    support::certificate tls, other;
    support::mail_server mail_server(with(tls));
    auto options = with(tls);
    options.implicit_tls = true;
    support::mail_server implicit(options);
    check_unavailable(send(remote_settings(mail_server)));
    trust_scope other_trusted(other);
    check_unavailable(send(remote_settings(mail_server)));
    check_unavailable(send(remote_settings(implicit, "smtps://")));
    BOOST_TEST(mail_server.count() + implicit.count() == 0u);
}

BOOST_AUTO_TEST_CASE(a_certificate_of_another_host_is_rejected)
{
    support::certificate tls("DNS:mail.elsewhere.example");
    trust_scope trusted(tls);
    support::mail_server mail_server(with(tls));
    check_unavailable(send(remote_settings(mail_server)));
    BOOST_TEST(mail_server.count() == 0u);
}

BOOST_AUTO_TEST_CASE(credentials_are_sent_under_tls)
{
    support::certificate tls;
    trust_scope trusted(tls);
    auto options = with(tls);
    options.user = "latchkey@example.org";
    options.password = "p@ss w:rd é";
    support::mail_server mail_server(options);
    auto to = remote_settings(mail_server);
    check_unavailable(send(to)); // without

    to.user = options.user;
    to.password = options.password;
    check_sent(send(to));
    auto received = mail_server.wait_for("ada@example.org");
    BOOST_TEST(received.tls);
    BOOST_TEST(received.user.value() == options.user);
    BOOST_TEST(mail_server.count() == 1u);
}

BOOST_AUTO_TEST_CASE(a_wrong_password_makes_the_server_unavailable_and_is_not_logged)
{
    support::certificate tls;
    trust_scope trusted(tls);
    auto options = with(tls);
    options.user = "latchkey";
    options.password = "right";
    support::mail_server mail_server(options);
    auto to = remote_settings(mail_server);
    to.user = "latchkey";
    to.password = "wrong-secret";
    auto result = send(to);
    check_unavailable(result);
    BOOST_TEST(result.cause.find("wrong-secret") == std::string::npos, result.cause);
    BOOST_TEST(mail_server.count() == 0u);
}

BOOST_AUTO_TEST_CASE(a_permanently_rejected_recipient_fails_and_others_are_delivered)
{
    support::mail_server_options options;
    options.refuse["gone@example.org"] = 550;
    options.refuse["full@example.org"] = 552;
    support::mail_server mail_server(options);
    auto transport = server::make_smtp_transport(server::test::local_settings(mail_server), never);
    for (auto recipient : {"gone@example.org", "full@example.org"}) {
        auto result = transport->send(make_email(recipient));
        BOOST_TEST((result.status == delivery::failed), recipient);
        BOOST_TEST(!result.server_unavailable);
        BOOST_TEST(result.cause.find("55") != std::string::npos, result.cause);
        check_sent(transport->send(make_email("ada@example.org")));
    }
    BOOST_TEST(mail_server.count() == 2u);
}

BOOST_AUTO_TEST_CASE(a_rejection_after_data_fails_or_defers_the_message)
{
    for (auto [code, expected] : {std::pair(554, delivery::failed), std::pair(452, delivery::deferred)}) {
        support::mail_server_options options;
        options.reject = code;
        support::mail_server mail_server(options);
        auto result = send(server::test::local_settings(mail_server));
        BOOST_TEST((result.status == expected), code);
        BOOST_TEST(!result.server_unavailable);
        BOOST_TEST(result.cause != "");
    }
}

BOOST_AUTO_TEST_CASE(a_temporarily_rejected_recipient_is_deferred_without_delaying_others)
{
    support::mail_server_options options;
    options.grey.emplace_back("grey@example.org");
    options.refuse["busy@example.org"] = 421;
    support::mail_server mail_server(options);
    auto transport = server::make_smtp_transport(server::test::local_settings(mail_server), never);
    auto email = make_email("grey@example.org");
    for (auto& deferred : {email, make_email("busy@example.org")}) {
        auto result = transport->send(deferred);
        BOOST_TEST((result.status == delivery::deferred));
        BOOST_TEST(!result.server_unavailable);
        BOOST_TEST(result.cause != "");
    }
    check_sent(transport->send(make_email("ada@example.org")));
    check_sent(transport->send(email));
    mail_server.wait_for("grey@example.org");
    BOOST_TEST(mail_server.count() == 2u);
}

BOOST_AUTO_TEST_CASE(an_unreachable_server_defers_every_message)
{
    std::optional<support::mail_server> mail_server;
    mail_server.emplace();
    auto to = server::test::local_settings(*mail_server);
    auto transport = server::make_smtp_transport(to, never);
    check_sent(transport->send(make_email("ada@example.org")));
    mail_server->kill();
    check_unavailable(transport->send(make_email("ada@example.org"))); // over the connection that was lost
    check_unavailable(transport->send(make_email("ada@example.org")));
    to.url = "smtp://no-such-host.invalid:25";
    check_unavailable(send(to));
}

BOOST_AUTO_TEST_CASE(stopping_aborts_a_stalled_delivery)
{
    for (std::string when : {"greeting", "data"})
        BOOST_TEST_CONTEXT(when)
        {
            support::mail_server_options options;
            options.stall = when;
            support::mail_server mail_server(options);
            auto start = std::chrono::steady_clock::now();
            auto is_stopping = [&] { return std::chrono::steady_clock::now() > start + 300ms; };
            auto transport =
                server::make_smtp_transport(server::test::local_settings(mail_server), is_stopping);
            auto result = transport->send(make_email("ada@example.org"));
            auto elapsed = std::chrono::steady_clock::now() - start;
            check_unavailable(result);
            BOOST_TEST((elapsed >= 300ms));
            BOOST_TEST((elapsed < 10s));
            transport.reset(); // does not block either
            BOOST_TEST((std::chrono::steady_clock::now() - start < 20s));
            BOOST_TEST(mail_server.count() == 0u);
        }
}

BOOST_AUTO_TEST_CASE(a_frozen_server_does_not_block_destruction)
{
    support::certificate tls;
    trust_scope trusted(tls);
    support::mail_server mail_server(with(tls));
    auto transport = server::make_smtp_transport(remote_settings(mail_server), never);
    check_sent(transport->send(make_email("ada@example.org")));
    mail_server.send(SIGSTOP);
    auto start = std::chrono::steady_clock::now();
    transport.reset();
    BOOST_TEST((std::chrono::steady_clock::now() - start < 2s));
}

BOOST_AUTO_TEST_CASE(a_late_reply_is_not_attributed_to_the_next_message)
{
    support::mail_server_options options;
    options.delay = 2500ms;
    support::mail_server mail_server(options);
    bool is_stopping = true;
    auto transport =
        server::make_smtp_transport(server::test::local_settings(mail_server), [&] { return is_stopping; });
    check_unavailable(transport->send(make_email("ada@example.org")));
    is_stopping = false;
    check_sent(transport->send(make_email("bob@example.org")));
    auto received =
        mail_server.wait_for("bob@example.org", {}, 1ms); // it had arrived when it was reported as sent
    BOOST_TEST(received.recipients.size() == 1u);
    for (auto& earlier : mail_server.emails())
        BOOST_TEST(
            (earlier.recipients.at(0) == "bob@example.org" || earlier.connection != received.connection));
}

BOOST_AUTO_TEST_CASE(one_connection_delivers_many_messages)
{
    support::certificate tls;
    trust_scope trusted(tls);
    auto options = with(tls);
    options.user = options.password = "latchkey";
    support::mail_server mail_server(options);
    auto to = remote_settings(mail_server);
    to.user = to.password = "latchkey";
    auto transport = server::make_smtp_transport(to, never);
    for (auto recipient : {"ada@example.org", "bob@example.net", "eve@example.com"})
        check_sent(transport->send(make_email(recipient)));
    std::set<std::string> connections;
    for (auto recipient : {"ada@example.org", "bob@example.net", "eve@example.com"}) {
        auto received = mail_server.wait_for(recipient);
        BOOST_TEST(received.recipients.size() == 1u);
        connections.insert(received.connection);
    }
    BOOST_TEST(connections.size() == 1u);
    BOOST_TEST(mail_server.count() == 3u);
}

BOOST_AUTO_TEST_CASE(a_connection_closed_as_idle_is_replaced)
{
    support::mail_server_options options;
    options.idle = 200ms;
    support::mail_server mail_server(options);
    auto transport = server::make_smtp_transport(server::test::local_settings(mail_server), never);
    check_sent(transport->send(make_email("ada@example.org")));
    std::this_thread::sleep_for(1s);
    check_sent(transport->send(make_email("bob@example.org")));
    BOOST_TEST(mail_server.wait_for("ada@example.org").connection !=
               mail_server.wait_for("bob@example.org").connection);
}

BOOST_AUTO_TEST_SUITE_END()
