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

// The counterparts of other tests, before these rely on them.

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
                                     "Gr=C3=BC=C3=9Fe: https://id.example.org/reset?token=3Dabc=\r\n"
                                     "DEF_1&x=3D2.\r\n"
                                     "--b1\r\n"
                                     "Content-Type: text/html; charset=utf-8\r\n"
                                     "Content-Transfer-Encoding: base64\r\n"
                                     "\r\n"
                                     "PGI+R3LDvMOfZTwvYj4=\r\n"
                                     "--b1--\r\n";

/** A client of no library: one command, one answer. */
class dialogue {
public:
    explicit dialogue(std::uint16_t port) : stream_("127.0.0.1", std::to_string(port))
    {
        stream_.expires_after(std::chrono::seconds(30));
        BOOST_TEST(answer() == "220");
    }

    /// @return the code of its answer
    std::string say(std::string_view text)
    {
        stream_ << text << "\r\n" << std::flush;
        return answer();
    }

private:
    std::string answer()
    {
        std::string line;
        do
            std::getline(stream_, line);
        while (stream_ && line.size() > 3 && line[3] == '-');
        return line.substr(0, 3);
    }

    boost::asio::ip::tcp::iostream stream_;
};

std::string send(dialogue& client, const std::string& recipient)
{
    BOOST_TEST(client.say("MAIL FROM:<no-reply@example.org>") == "250");
    auto code = client.say("RCPT TO:<" + recipient + ">");
    if (code != "250")
        return code;
    BOOST_TEST(client.say("DATA") == "354");
    return client.say(std::string(message) + ".");
}

} // namespace

BOOST_AUTO_TEST_SUITE(third_party_servers)

BOOST_AUTO_TEST_CASE(a_mail_arrives_and_both_readers_read_the_same)
{
    support::mail_server server;
    dialogue client(server.port());
    BOOST_TEST(client.say("EHLO client.example.org") == "250");
    BOOST_TEST(send(client, "ada@example.org") == "250");
    BOOST_TEST(server.count() == 1U);

    auto mail = server.wait_for("ada@example.org", "Grüße");
    auto letter = support::read_letter(mail.raw);
    BOOST_TEST(!mail.tls);
    BOOST_TEST(!mail.user.has_value());
    BOOST_TEST(mail.from == "no-reply@example.org");
    BOOST_TEST(mail.subject == "Grüße an alle");
    BOOST_TEST(mail.html == "<b>Grüße</b>");
    BOOST_TEST(mail.headers.at("mime-version") == "1.0");
    BOOST_TEST(support::link_in(mail) == "https://id.example.org/reset?token=abcDEF_1&x=2");
    BOOST_TEST(support::token_in(mail) == "abcDEF_1");
    BOOST_TEST(letter.to == mail.to);
    BOOST_TEST(letter.subject == mail.subject);
    BOOST_TEST(letter.text == mail.text);
    BOOST_TEST(letter.html == mail.html);
    BOOST_TEST((letter.headers == mail.headers));
    BOOST_CHECK_THROW(server.wait_for("ada@example.org", {}, std::chrono::milliseconds(1)),
                      std::runtime_error);
}

BOOST_AUTO_TEST_CASE(recipients_are_refused_and_put_off)
{
    support::mail_options options;
    options.refuse["gone@example.org"] = 550;
    options.grey.emplace_back("grey@example.org");
    support::mail_server server(options);
    dialogue client(server.port());
    BOOST_TEST(client.say("EHLO client.example.org") == "250");
    BOOST_TEST(send(client, "gone@example.org") == "550");
    BOOST_TEST(client.say("RSET") == "250");
    BOOST_TEST(send(client, "grey@example.org") == "451");
    BOOST_TEST(client.say("RSET") == "250");
    BOOST_TEST(send(client, "grey@example.org") == "250");
    BOOST_TEST(server.count() == 1U);
}

BOOST_AUTO_TEST_CASE(a_login_is_taken_only_under_tls)
{
    support::certificate tls;
    support::mail_options options;
    options.tls = &tls;
    options.user = "u";
    options.password = "p";
    support::mail_server server(options);
    dialogue client(server.port());
    BOOST_TEST(client.say("EHLO client.example.org") == "250");
    BOOST_TEST(client.say("MAIL FROM:<no-reply@example.org>") == "530");
    BOOST_TEST(client.say("AUTH PLAIN AHUAcA==") != "235");
    BOOST_TEST(client.say("STARTTLS") == "220");
}

BOOST_AUTO_TEST_CASE(a_mailbox_gives_each_letter_once)
{
    support::temporary_folder folder;
    support::mailbox box(folder.path() + "/later");
    BOOST_TEST(!box.wait_for("ada@example.org", {}, std::chrono::milliseconds(1)));
    std::filesystem::create_directory(folder.path() + "/later");
    std::ofstream(folder.path() + "/later/1.eml") << message;
    std::ofstream(folder.path() + "/later/2.tmp") << "half a mail";
    BOOST_TEST(!box.wait_for("bob@example.org", {}, std::chrono::milliseconds(1)));
    auto letter = box.wait_for("ada@example.org", "an alle");
    BOOST_REQUIRE(letter.has_value());
    BOOST_TEST(support::token_in(*letter) == "abcDEF_1");
    BOOST_TEST(!box.wait_for("ada@example.org", {}, std::chrono::milliseconds(1)));
    BOOST_TEST(box.letters().size() == 1U);
}

BOOST_AUTO_TEST_CASE(an_issuer_tells_of_itself_and_lies_when_told_to)
{
    support::certificate tls, stranger;
    support::oidc_issuer issuer(tls);
    auto discovery = issuer.issuer() + "/.well-known/openid-configuration";
    auto told = support::https_get(discovery, tls.cert());
    BOOST_TEST(told.status == 200U);
    BOOST_TEST(told.text("/issuer") == issuer.issuer());
    BOOST_TEST(told.text("/revocation_endpoint") == issuer.issuer() + "/revoke");
    BOOST_CHECK_THROW(support::https_get(discovery, stranger.cert()), std::runtime_error);

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

BOOST_AUTO_TEST_CASE(an_issuer_rotates_its_key_and_demands_pkce)
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
    auto agreed = support::https_get(start + challenge, tls.cert());
    BOOST_TEST(agreed.status == 302U);
    BOOST_TEST(agreed.header("Location").starts_with("http://a.example/b?code="));
    BOOST_TEST(issuer.log().at("authorize").at("state").as_string() == "s");
}

BOOST_AUTO_TEST_SUITE_END()
