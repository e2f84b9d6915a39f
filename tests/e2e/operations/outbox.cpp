// Mail delivery from the outbox to a third-party SMTP server: exactly once, after crashes, by several nodes.
#include "tests/e2e/support/mail_fixture.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/third_party.hpp"

#include <csignal>
#include <set>
#include <thread>

using namespace e2e;

namespace {

using std::chrono::seconds;

std::string url_of(const support::mail_server& server, const std::string& more = "")
{
    return "smtp://" + more + "127.0.0.1:" + std::to_string(server.port());
}

support::environment by_smtp(const std::string& url)
{
    return {{"LATCHKEY_SMTP_URL", url},
            {"LATCHKEY_MAIL_FROM", "Häuschen <no-reply@example.com>"},
            {"LATCHKEY_PUBLIC_URL", "https://id.example.com"}};
}

/// A database and a master key, shared by the servers that each test starts and stops.
struct outbox_fixture {
    std::string master_key = support::random_master_key();
    support::database db;
    support::temporary_folder folder;

    support::environment settings(support::environment more) const
    {
        more.emplace_back("LATCHKEY_MASTER_KEY", master_key);
        more.emplace_back("LATCHKEY_DATA_DIR", folder.path());
        return more;
    }

    std::string pending() const { return db.sql("SELECT count(*) FROM outbox"); }

    /// Wait until so many messages are being sent.
    void await_sending(int count = 1) const
    {
        auto claimed =
            "SELECT count(*) >= " + std::to_string(count) + " FROM outbox WHERE claimed_until > now()";
        BOOST_REQUIRE(support::eventually([&] { return db.sql(claimed) == "t"; }));
    }

    /// Let the claims of servers that have ended expire, and the backoff of failed attempts.
    void make_due() const { db.sql("UPDATE outbox SET next_attempt_at = now(), claimed_until = NULL"); }
};

void sign_up_many(const support::running_server& server, int from, int to)
{
    support::http_client client(server.port());
    for (int i = from; i < to; ++i)
        sign_up(client, "person" + std::to_string(i) + "@example.com");
}

} // namespace

BOOST_AUTO_TEST_SUITE(outbox)

BOOST_FIXTURE_TEST_CASE(mail_is_sent_over_starttls_with_a_password, outbox_fixture)
{
    support::certificate tls;
    support::mail_server_options options;
    options.tls = &tls;
    options.user = "latchkey";
    options.password = "p@ss:word";
    support::mail_server mailbox(options);
    auto reach = by_smtp(url_of(mailbox, "latchkey:p%40ss%3Aword@"));
    reach.emplace_back("SSL_CERT_FILE", tls.cert());
    support::running_server server(db.conninfo(), settings(reach));
    support::http_client client(server.port());
    auto body = support::object(
        {{"email", "ada@example.com"}, {"password", "long enough"}, {"name", "Ada Łukasz 🗝"}});
    BOOST_REQUIRE(client.post(base + "/signup", body).status == 201u);

    auto mail = mailbox.wait_for("ada@example.com");
    BOOST_TEST(mail.tls);
    BOOST_TEST(mail.user.value_or("") == "latchkey");
    BOOST_TEST(mail.from == "no-reply@example.com");
    BOOST_TEST(mail.subject == "Confirm your email address");
    BOOST_TEST(mail.text.starts_with("Hello,")); // no name: the address is not verified yet
    auto link = support::link_in(mail);
    BOOST_TEST(link.starts_with("https://id.example.com/verify#token="));
    BOOST_TEST(mail.html.find(link) != std::string::npos);
    BOOST_TEST(mail.headers["auto-submitted"] == "auto-generated");
    BOOST_TEST(mail.headers.count("list-unsubscribe") == 0u); // a required mail
    BOOST_TEST(support::eventually([&] { return pending() == "0"; }));
    BOOST_TEST(server.log().find(support::token_in(mail)) == std::string::npos);

    auto verified =
        client.post(base + "/email/verify", support::object({{"token", support::token_in(mail)}}));
    BOOST_REQUIRE(verified.status == 200u);
    auto token = log_in(client, "ada@example.com").token;
    client.post(base + "/api-keys", R"({"name":"ci"})", token);
    auto minted = mailbox.wait_for("ada@example.com", "A new API key was created");
    BOOST_TEST(minted.text.starts_with("Hello Ada Łukasz 🗝,"));
    BOOST_TEST(minted.headers["list-unsubscribe"].starts_with("<https://id.example.com/unsubscribe?token="));
    BOOST_TEST(minted.headers["list-unsubscribe-post"] == "List-Unsubscribe=One-Click");
}

BOOST_FIXTURE_TEST_CASE(a_crash_between_commit_and_send_loses_no_mail, outbox_fixture)
{
    support::mail_server_options options;
    options.stall = "greeting";
    support::mail_server silent(options);
    {
        support::running_server server(db.conninfo(), settings(by_smtp(url_of(silent))));
        sign_up_many(server, 0, 5);
        BOOST_TEST(pending() == "5");
        await_sending(5);
        server.kill();
    }
    BOOST_TEST(pending() == "5");
    BOOST_TEST(db.sql("SELECT max(claimed_until) < now() + interval '60 seconds' FROM outbox") == "t");
    make_due();
    support::mail_server mailbox;
    support::running_server server(db.conninfo(), settings(by_smtp(url_of(mailbox))));
    for (int i = 0; i < 5; ++i)
        mailbox.wait_for("person" + std::to_string(i) + "@example.com");
    BOOST_TEST(support::eventually([&] { return pending() == "0"; }));
    BOOST_TEST(mailbox.count() == 5u);
}

BOOST_FIXTURE_TEST_CASE(two_nodes_never_send_a_mail_twice, outbox_fixture)
{
    support::mail_server mailbox;
    constexpr int people = 40;
    {
        support::running_server writer(db.conninfo(), settings(by_smtp("smtp://127.0.0.1:1")));
        sign_up_many(writer, 0, people);
    }
    make_due();
    support::running_server one(db.conninfo(), settings(by_smtp(url_of(mailbox))));
    support::running_server two(db.conninfo(), settings(by_smtp(url_of(mailbox))));
    BOOST_TEST(support::eventually([&] { return pending() == "0"; }));
    std::set<std::string> ids;
    for (auto& mail : mailbox.emails())
        ids.insert(mail.headers["message-id"]);
    BOOST_TEST(mailbox.count() == static_cast<std::size_t>(people));
    BOOST_TEST(ids.size() == static_cast<std::size_t>(people));
}

BOOST_FIXTURE_TEST_CASE(a_permanent_failure_is_recorded_and_delays_no_other_mail, outbox_fixture)
{
    support::mail_server_options options;
    options.refuse["gone@example.com"] = 550;
    options.grey.push_back("grey@example.com");
    support::mail_server mailbox(options);
    support::running_server server(db.conninfo(), settings(by_smtp(url_of(mailbox))));
    support::http_client client(server.port());
    for (auto email : {"gone@example.com", "grey@example.com", "ada@example.com"})
        sign_up(client, email);
    mailbox.wait_for("ada@example.com");
    mailbox.wait_for("grey@example.com"); // at the second attempt
    BOOST_TEST(server.logs(R"("event":"mail delivery failed permanently")"));
    BOOST_TEST(support::eventually([&] { return pending() == "1"; }));
    BOOST_TEST(db.sql("SELECT recipient FROM outbox WHERE failed_at IS NOT NULL AND sealed_token IS NULL "
                      "AND last_error LIKE '%550%'") == "gone@example.com");
    BOOST_TEST(mailbox.count() == 2u);
}

BOOST_FIXTURE_TEST_CASE(a_hanging_mail_server_delays_no_response, outbox_fixture)
{
    support::mail_server_options options;
    options.stall = "greeting";
    support::mail_server silent(options);
    support::running_server server(db.conninfo(), settings(by_smtp(url_of(silent))));
    sign_up_many(server, 0, 3);
    support::http_client client(server.port());
    client.set_timeout(seconds(3)); // shorter than each timeout of the mail worker
    // An account with a mail being sent can sign in and be deleted.
    await_sending();
    auto again = log_in(client, "person0@example.com");
    auto deleted =
        client.send(support::http::verb::delete_, base + "/me", R"({"password":"long enough"})", again.token);
    BOOST_TEST(deleted.status == 204u);
}

BOOST_FIXTURE_TEST_CASE(delivery_is_deferred_while_the_mail_server_is_down, outbox_fixture)
{
    support::running_server server(db.conninfo(), settings(by_smtp("smtp://127.0.0.1:1")));
    sign_up_many(server, 0, 3);
    BOOST_TEST(server.logs(R"("event":"mail delivery deferred")"));
    BOOST_TEST(pending() == "3");
    BOOST_TEST(db.sql("SELECT max(next_attempt_at) <= now() + interval '60 seconds' FROM outbox") == "t");
}

BOOST_FIXTURE_TEST_CASE(a_server_stops_while_sending, outbox_fixture)
{
    support::mail_server_options options;
    options.stall = "data";
    support::mail_server silent(options);
    support::running_server server(db.conninfo(), settings(by_smtp(url_of(silent))));
    sign_up_many(server, 0, 1);
    await_sending();
    BOOST_TEST(server.stop(seconds(15)) == 0);
    BOOST_TEST(pending() == "1");
}

BOOST_FIXTURE_TEST_CASE(mail_is_sealed_under_the_master_key, outbox_fixture)
{
    {
        support::running_server server(db.conninfo(), settings(by_smtp("smtp://127.0.0.1:1")));
        sign_up_many(server, 0, 1);
    }
    make_due();
    db.sql("DELETE FROM signing_keys");
    support::mail_server mailbox;
    master_key = support::random_master_key();
    support::running_server server(db.conninfo(), settings(by_smtp(url_of(mailbox))));
    BOOST_TEST(server.logs("sealed with a different master key"));
    BOOST_TEST(mailbox.count() == 0u);
}

BOOST_AUTO_TEST_SUITE_END()
