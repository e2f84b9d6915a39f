// Letters on their way to a mail server that others wrote: when they may go, and what becomes of those that
// may not.
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

using correspondence::letter_to;
using correspondence::never;
using server::delivery;
using outcome = server::delivery::outcome;
using namespace std::chrono_literals;

namespace {

/// While it lives this process trusts one list of authorities.
class trust {
public:
    explicit trust(const support::certificate& whom)
    {
        if (auto before = getenv("SSL_CERT_FILE"))
            before_ = before;
        setenv("SSL_CERT_FILE", whom.cert().c_str(), 1);
    }
    ~trust()
    {
        if (before_)
            setenv("SSL_CERT_FILE", before_->c_str(), 1);
        else
            unsetenv("SSL_CERT_FILE");
    }
    trust(const trust&) = delete;
    trust& operator=(const trust&) = delete;

private:
    std::optional<std::string> before_;
};

/// As a server on another machine.
server::smtp_settings far(const support::mail_server& to, const std::string& scheme = "smtp://",
                          const std::string& host = "localhost")
{
    server::smtp_settings out;
    out.url = scheme + host + ":" + std::to_string(to.port());
    return out;
}

delivery send(const server::smtp_settings& to, const server::mail& letter = letter_to("ada@example.org"))
{
    return server::send_by_smtp(to, never)->send(letter);
}

void check_sent(const delivery& went)
{
    BOOST_TEST((went.what == outcome::sent), went.cause);
    BOOST_TEST(!went.is_cut_off);
    BOOST_TEST(went.cause == "");
}

/// It is not the letter's fault: no other would have gone.
void check_cut_off(const delivery& went)
{
    BOOST_TEST((went.what == outcome::later));
    BOOST_TEST(went.is_cut_off);
    BOOST_TEST(went.cause != "");
}

support::mail_options with(const support::certificate& tls)
{
    support::mail_options out;
    out.tls = &tls;
    return out;
}

} // namespace

BOOST_AUTO_TEST_SUITE(smtp_transport)

BOOST_AUTO_TEST_CASE(a_server_on_this_machine_may_do_without_tls)
{
    support::mail_server peer;
    check_sent(send(correspondence::plain(peer)));
    auto mail = peer.wait_for("ada@example.org");
    BOOST_TEST(!mail.tls);
    BOOST_TEST(!mail.user);
}

BOOST_AUTO_TEST_CASE(a_server_elsewhere_may_not)
{
    support::mail_server peer;
    check_cut_off(send(far(peer)));
    BOOST_TEST(peer.count() == 0u);
}

BOOST_AUTO_TEST_CASE(a_letter_goes_under_tls_to_whom_is_trusted)
{
    support::certificate tls;
    trust it(tls);
    support::mail_server peer(with(tls));
    check_sent(send(far(peer)));
    BOOST_TEST(peer.wait_for("ada@example.org").tls);
    auto near = far(peer);
    near.is_local = true; // which uses what is offered
    check_sent(send(near));
    BOOST_TEST(peer.wait_for("ada@example.org").tls);
}

BOOST_AUTO_TEST_CASE(tls_can_begin_with_the_first_byte)
{
    support::certificate tls;
    trust it(tls);
    auto options = with(tls);
    options.implicit_tls = true;
    support::mail_server peer(options);
    check_sent(send(far(peer, "smtps://")));
    BOOST_TEST(peer.wait_for("ada@example.org").tls);
}

BOOST_AUTO_TEST_CASE(a_certificate_that_nobody_vouches_for_is_refused)
{
    support::certificate tls, other;
    support::mail_server peer(with(tls));
    auto options = with(tls);
    options.implicit_tls = true;
    support::mail_server implicit(options);
    check_cut_off(send(far(peer)));
    trust somebody_else(other);
    check_cut_off(send(far(peer)));
    check_cut_off(send(far(implicit, "smtps://")));
    BOOST_TEST(peer.count() + implicit.count() == 0u);
}

BOOST_AUTO_TEST_CASE(so_is_one_of_another_host)
{
    support::certificate tls("DNS:mail.elsewhere.example");
    trust it(tls);
    support::mail_server peer(with(tls));
    check_cut_off(send(far(peer)));
    BOOST_TEST(peer.count() == 0u);
}

BOOST_AUTO_TEST_CASE(a_name_and_a_password_are_given_under_tls)
{
    support::certificate tls;
    trust it(tls);
    auto options = with(tls);
    options.user = "latchkey@example.org";
    options.password = "p@ss w:rd é";
    support::mail_server peer(options);
    auto to = far(peer);
    check_cut_off(send(to)); // without

    to.user = options.user;
    to.password = options.password;
    check_sent(send(to));
    auto mail = peer.wait_for("ada@example.org");
    BOOST_TEST(mail.tls);
    BOOST_TEST(mail.user.value() == options.user);
    BOOST_TEST(peer.count() == 1u);
}

BOOST_AUTO_TEST_CASE(a_wrong_password_is_about_us_and_not_repeated)
{
    support::certificate tls;
    trust it(tls);
    auto options = with(tls);
    options.user = "latchkey";
    options.password = "right";
    support::mail_server peer(options);
    auto to = far(peer);
    to.user = "latchkey";
    to.password = "wrong-secret";
    auto went = send(to);
    check_cut_off(went);
    BOOST_TEST(went.cause.find("wrong-secret") == std::string::npos, went.cause);
    BOOST_TEST(peer.count() == 0u);
}

BOOST_AUTO_TEST_CASE(who_is_not_taken_for_good_never_will_be_and_others_are)
{
    support::mail_options options;
    options.refuse["gone@example.org"] = 550;
    options.refuse["full@example.org"] = 552;
    support::mail_server peer(options);
    auto sender = server::send_by_smtp(correspondence::plain(peer), never);
    for (auto whom : {"gone@example.org", "full@example.org"}) {
        auto went = sender->send(letter_to(whom));
        BOOST_TEST((went.what == outcome::never), whom);
        BOOST_TEST(!went.is_cut_off);
        BOOST_TEST(went.cause.find("55") != std::string::npos, went.cause);
        check_sent(sender->send(letter_to("ada@example.org")));
    }
    BOOST_TEST(peer.count() == 2u);
}

BOOST_AUTO_TEST_CASE(so_with_a_letter_that_is_not_taken_when_it_has_been_read)
{
    for (auto [code, expected] : {std::pair(554, outcome::never), std::pair(452, outcome::later)}) {
        support::mail_options options;
        options.reject = code;
        support::mail_server peer(options);
        auto went = send(correspondence::plain(peer));
        BOOST_TEST((went.what == expected), code);
        BOOST_TEST(!went.is_cut_off);
        BOOST_TEST(went.cause != "");
    }
}

BOOST_AUTO_TEST_CASE(who_is_put_off_is_tried_again_and_others_are_not_held_up)
{
    support::mail_options options;
    options.grey.emplace_back("grey@example.org");
    options.refuse["busy@example.org"] = 421;
    support::mail_server peer(options);
    auto sender = server::send_by_smtp(correspondence::plain(peer), never);
    auto letter = letter_to("grey@example.org");
    for (auto& put_off : {letter, letter_to("busy@example.org")}) {
        auto went = sender->send(put_off);
        BOOST_TEST((went.what == outcome::later));
        BOOST_TEST(!went.is_cut_off);
        BOOST_TEST(went.cause != "");
    }
    check_sent(sender->send(letter_to("ada@example.org")));
    check_sent(sender->send(letter));
    peer.wait_for("grey@example.org");
    BOOST_TEST(peer.count() == 2u);
}

BOOST_AUTO_TEST_CASE(where_nobody_listens_every_letter_waits)
{
    std::optional<support::mail_server> peer;
    peer.emplace();
    auto to = correspondence::plain(*peer);
    auto sender = server::send_by_smtp(to, never);
    check_sent(sender->send(letter_to("ada@example.org")));
    peer->kill();
    check_cut_off(sender->send(letter_to("ada@example.org"))); // over a connection that is no more
    check_cut_off(sender->send(letter_to("ada@example.org")));
    to.url = "smtp://no-such-host.invalid:25";
    check_cut_off(send(to));
}

BOOST_AUTO_TEST_CASE(a_server_that_says_nothing_is_left_when_we_stop)
{
    for (std::string when : {"greeting", "data"})
        BOOST_TEST_CONTEXT(when)
        {
            support::mail_options options;
            options.stall = when;
            support::mail_server peer(options);
            auto begun = std::chrono::steady_clock::now();
            auto is_stopping = [&] { return std::chrono::steady_clock::now() > begun + 300ms; };
            auto sender = server::send_by_smtp(correspondence::plain(peer), is_stopping);
            auto went = sender->send(letter_to("ada@example.org"));
            auto took = std::chrono::steady_clock::now() - begun;
            check_cut_off(went);
            BOOST_TEST((took >= 300ms));
            BOOST_TEST((took < 3s));
            sender.reset(); // waits no longer either
            BOOST_TEST((std::chrono::steady_clock::now() - begun < 4s));
            BOOST_TEST(peer.count() == 0u);
        }
}

BOOST_AUTO_TEST_CASE(a_frozen_server_does_not_keep_us)
{
    support::certificate tls;
    trust it(tls);
    support::mail_server peer(with(tls));
    auto sender = server::send_by_smtp(far(peer), never);
    check_sent(sender->send(letter_to("ada@example.org")));
    peer.send(SIGSTOP);
    auto begun = std::chrono::steady_clock::now();
    sender.reset();
    BOOST_TEST((std::chrono::steady_clock::now() - begun < 2s));
}

BOOST_AUTO_TEST_CASE(an_answer_that_was_not_waited_for_is_not_taken_for_the_next_letters)
{
    support::mail_options options;
    options.delay = 2500ms;
    support::mail_server peer(options);
    bool hurry = true;
    auto sender = server::send_by_smtp(correspondence::plain(peer), [&] { return hurry; });
    check_cut_off(sender->send(letter_to("ada@example.org")));
    hurry = false;
    check_sent(sender->send(letter_to("bob@example.org")));
    auto mail = peer.wait_for("bob@example.org", {}, 1ms); // it was there when it was said to be
    BOOST_TEST(mail.recipients.size() == 1u);
    for (auto& earlier : peer.mails())
        BOOST_TEST((earlier.recipients.at(0) == "bob@example.org" || earlier.connection != mail.connection));
}

BOOST_AUTO_TEST_CASE(one_connection_carries_many_letters)
{
    support::certificate tls;
    trust it(tls);
    auto options = with(tls);
    options.user = options.password = "latchkey";
    support::mail_server peer(options);
    auto to = far(peer);
    to.user = to.password = "latchkey";
    auto sender = server::send_by_smtp(to, never);
    for (auto whom : {"ada@example.org", "bob@example.net", "eve@example.com"})
        check_sent(sender->send(letter_to(whom)));
    std::set<std::string> connections;
    for (auto whom : {"ada@example.org", "bob@example.net", "eve@example.com"}) {
        auto mail = peer.wait_for(whom);
        BOOST_TEST(mail.recipients.size() == 1u);
        connections.insert(mail.connection);
    }
    BOOST_TEST(connections.size() == 1u);
    BOOST_TEST(peer.count() == 3u);
}

BOOST_AUTO_TEST_CASE(a_connection_that_was_closed_for_idling_is_replaced)
{
    support::mail_options options;
    options.idle = 200ms;
    support::mail_server peer(options);
    auto sender = server::send_by_smtp(correspondence::plain(peer), never);
    check_sent(sender->send(letter_to("ada@example.org")));
    std::this_thread::sleep_for(1s);
    check_sent(sender->send(letter_to("bob@example.org")));
    BOOST_TEST(peer.wait_for("ada@example.org").connection != peer.wait_for("bob@example.org").connection);
}

BOOST_AUTO_TEST_SUITE_END()
