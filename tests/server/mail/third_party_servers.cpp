// Third-party servers of the tests: the mail server and the OpenID provider behave as the tests assume.
#include "tests/support/certificate.hpp"
#include "tests/support/email.hpp"
#include "tests/support/http.hpp"
#include "tests/support/https.hpp"
#include "tests/support/mailbox.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/third_party.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/json/parse.hpp>
#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <fstream>
#include <string>

namespace {

constexpr std::string_view message = "From: Latchkey <no-reply@example.org>\r\n"
                                     "To: ada@example.org\r\n"
                                     "Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe_an?=\r\n"
                                     " =?UTF-8?B?IGFsbGU=?=\r\n"
                                     "MIME-Version: 1.0\r\n"
                                     "Content-Type: multipart/alternative; boundary=\"b1\"\r\n"
                                     "\r\n"
                                     "--b1\r\n"
                                     "Content-Type: text/plain; charset=utf-8\r\n"
                                     "Content-Transfer-Encoding: quoted-printable\r\n"
                                     "\r\n"
                                     "Gr=C3=BC=C3=9Fe: https://id.example.org/reset#token=3Dabc=\r\n"
                                     "DEF_1&x=3D2.\r\n"
                                     "--b1\r\n"
                                     "Content-Type: text/html; charset=utf-8\r\n"
                                     "Content-Transfer-Encoding: base64\r\n"
                                     "\r\n"
                                     "PGI+R3LDvMOfZTwvYj4=\r\n"
                                     "--b1--\r\n";

/** A minimal SMTP client: one command, one reply. */
class smtp_client {
public:
    explicit smtp_client(std::uint16_t port) : stream_("127.0.0.1", std::to_string(port))
    {
        stream_.expires_after(std::chrono::seconds(30));
        BOOST_TEST(read_reply() == "220");
    }

    /// @return the code of the reply
    std::string command(std::string_view text)
    {
        stream_ << text << "\r\n" << std::flush;
        return read_reply();
    }

private:
    std::string read_reply()
    {
        std::string line;
        do
            std::getline(stream_, line);
        while (stream_ && line.size() > 3 && line[3] == '-');
        return line.substr(0, 3);
    }

    boost::asio::ip::tcp::iostream stream_;
};

std::string send(smtp_client& client, const std::string& recipient)
{
    BOOST_TEST(client.command("MAIL FROM:<no-reply@example.org>") == "250");
    auto code = client.command("RCPT TO:<" + recipient + ">");
    if (code != "250")
        return code;
    BOOST_TEST(client.command("DATA") == "354");
    return client.command(std::string(message) + ".");
}

} // namespace

BOOST_AUTO_TEST_SUITE(third_party_servers)

BOOST_AUTO_TEST_CASE(both_parsers_agree_on_a_received_email)
{
    support::mail_server server;
    smtp_client client(server.port());
    BOOST_TEST(client.command("EHLO client.example.org") == "250");
    BOOST_TEST(send(client, "ada@example.org") == "250");
    BOOST_TEST(server.count() == 1U);

    auto received = server.wait_for("ada@example.org", "Grüße");
    auto email = support::parse_email(received.raw);
    BOOST_TEST(!received.tls);
    BOOST_TEST(!received.user.has_value());
    BOOST_TEST(received.from == "no-reply@example.org");
    BOOST_TEST(received.subject == "Grüße an alle");
    BOOST_TEST(received.html == "<b>Grüße</b>");
    BOOST_TEST(received.headers.at("mime-version") == "1.0");
    BOOST_TEST(support::link_in(received) == "https://id.example.org/reset#token=abcDEF_1&x=2");
    BOOST_TEST(support::token_in(received) == "abcDEF_1");
    BOOST_TEST(email.to == received.to);
    BOOST_TEST(email.subject == received.subject);
    BOOST_TEST(email.text == received.text);
    BOOST_TEST(email.html == received.html);
    BOOST_TEST((email.headers == received.headers));
    BOOST_CHECK_THROW(server.wait_for("ada@example.org", {}, std::chrono::milliseconds(1)),
                      std::runtime_error);
}

BOOST_AUTO_TEST_CASE(recipients_are_rejected_and_greylisted)
{
    support::mail_server_options options;
    options.refuse["gone@example.org"] = 550;
    options.grey.emplace_back("grey@example.org");
    support::mail_server server(options);
    smtp_client client(server.port());
    BOOST_TEST(client.command("EHLO client.example.org") == "250");
    BOOST_TEST(send(client, "gone@example.org") == "550");
    BOOST_TEST(client.command("RSET") == "250");
    BOOST_TEST(send(client, "grey@example.org") == "451");
    BOOST_TEST(client.command("RSET") == "250");
    BOOST_TEST(send(client, "grey@example.org") == "250");
    BOOST_TEST(server.count() == 1U);
}

BOOST_AUTO_TEST_CASE(a_login_requires_tls)
{
    support::certificate tls;
    support::mail_server_options options;
    options.tls = &tls;
    options.user = "u";
    options.password = "p";
    support::mail_server server(options);
    smtp_client client(server.port());
    BOOST_TEST(client.command("EHLO client.example.org") == "250");
    BOOST_TEST(client.command("MAIL FROM:<no-reply@example.org>") == "530");
    BOOST_TEST(client.command("AUTH PLAIN AHUAcA==") != "235");
    BOOST_TEST(client.command("STARTTLS") == "220");
}

BOOST_AUTO_TEST_CASE(a_mailbox_returns_each_email_once)
{
    support::temporary_folder folder;
    support::mailbox mailbox(folder.path() + "/later");
    BOOST_TEST(!mailbox.wait_for("ada@example.org", {}, std::chrono::milliseconds(1)));
    std::filesystem::create_directory(folder.path() + "/later");
    std::ofstream(folder.path() + "/later/1.eml") << message;
    std::ofstream(folder.path() + "/later/2.tmp") << "a partial email";
    BOOST_TEST(!mailbox.wait_for("bob@example.org", {}, std::chrono::milliseconds(1)));
    auto email = mailbox.wait_for("ada@example.org", "an alle");
    BOOST_REQUIRE(email.has_value());
    BOOST_TEST(support::token_in(*email) == "abcDEF_1");
    BOOST_TEST(!mailbox.wait_for("ada@example.org", {}, std::chrono::milliseconds(1)));
    BOOST_TEST(mailbox.emails().size() == 1U);
}

BOOST_AUTO_TEST_CASE(the_issuer_serves_discovery_and_can_be_configured_to_misbehave)
{
    support::certificate tls, untrusted;
    support::oidc_issuer issuer(tls);
    auto discovery = issuer.issuer() + "/.well-known/openid-configuration";
    auto document = support::https_get(discovery, tls.cert());
    BOOST_TEST(document.status == 200U);
    BOOST_TEST(document.text("/issuer") == issuer.issuer());
    BOOST_TEST(document.text("/revocation_endpoint") == issuer.issuer() + "/revoke");
    BOOST_CHECK_THROW(support::https_get(discovery, untrusted.cert()), std::runtime_error);

    issuer.set({{"discovery", {{"issuer", "https://elsewhere.example"}}}, {"fail", {{"jwks", 503}}}});
    BOOST_TEST(support::https_get(discovery, tls.cert()).text("/issuer") == "https://elsewhere.example");
    BOOST_TEST(support::https_get(issuer.issuer() + "/jwks", tls.cert()).status == 503U);
    BOOST_TEST(issuer.hits("discovery") == 2);
    BOOST_TEST(issuer.hits("jwks") == 1);
    BOOST_CHECK_THROW(issuer.set({{"nonsense", true}}), std::runtime_error);

    issuer.reset();
    BOOST_TEST(issuer.hits("discovery") == 0);
    BOOST_TEST(support::https_get(discovery, tls.cert()).text("/issuer") == issuer.issuer());
}

BOOST_AUTO_TEST_CASE(the_issuer_rotates_its_key_and_requires_pkce)
{
    support::certificate tls;
    support::oidc_issuer issuer(tls);
    auto key = [&] { return support::https_get(issuer.issuer() + "/jwks", tls.cert()).text("/keys/0/kid"); };
    auto before = key();
    issuer.set({{"rotate", true}});
    BOOST_TEST(key() != before);

    auto start =
        issuer.issuer() + "/authorize?response_type=code&client_id=c&redirect_uri=http://a.example/b&state=s";
    BOOST_TEST(support::https_get(start, tls.cert()).status == 400U);
    auto challenge = "&code_challenge_method=S256&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
    auto granted = support::https_get(start + challenge, tls.cert());
    BOOST_TEST(granted.status == 302U);
    BOOST_TEST(granted.header("Location").starts_with("http://a.example/b?code="));
    BOOST_TEST(issuer.log().at("authorize").at("state").as_string() == "s");
}

BOOST_AUTO_TEST_SUITE_END()
