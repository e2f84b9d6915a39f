// MIME messages, delivered to and parsed by a third-party mail server.
#include "server/mail/mime.hpp"

#include "tests/server/mail/mail_fixture.hpp"

#include <boost/algorithm/string/trim.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <regex>
#include <string>
#include <string_view>
#include <vector>

using server::test::make_email;

namespace {

struct delivery_fixture {
    support::received_email read(const server::mail_message& email)
    {
        auto result = transport->send(email);
        BOOST_REQUIRE_MESSAGE(result.status == server::delivery::sent, result.cause);
        auto id = "<" + email.id + ">";
        return mail_server.wait_for(
            [&](const support::received_email& one) { return one.headers.at("message-id") == id; });
    }

    support::mail_server mail_server;
    std::unique_ptr<server::mail_transport> transport =
        server::make_smtp_transport(server::test::local_settings(mail_server), &server::test::never);
};

std::vector<std::string_view> lines_of(std::string_view text)
{
    std::vector<std::string_view> out;
    for (auto end = text.find("\r\n"); end != std::string_view::npos; end = text.find("\r\n")) {
        out.push_back(text.substr(0, end));
        text.remove_prefix(end + 2);
    }
    BOOST_TEST(text.empty()); // the last line is terminated
    return out;
}

std::string_view header_of(std::string_view message)
{
    auto end = message.find("\r\n\r\n");
    BOOST_REQUIRE(end != std::string_view::npos);
    return message.substr(0, end + 2);
}

/// Limits of every message: characters and line lengths (RFC 5322, 2.1.1; RFC 2047, 2).
void check_bytes(const std::string& message)
{
    BOOST_TEST(
        std::ranges::all_of(message, [](char c) { return c == '\r' || c == '\n' || (c >= 32 && c < 127); }));
    for (auto line : lines_of(message)) {
        BOOST_TEST(line.size() <= 998u);
        BOOST_TEST((line.find_first_of("\r\n") == std::string_view::npos));
    }
    for (auto line : lines_of(header_of(message)))
        if (line.find("=?") != std::string_view::npos)
            BOOST_TEST(line.size() <= 76u, line);
}

std::string repeated(std::string_view piece, int times)
{
    std::string out;
    while (times-- > 0)
        out += piece;
    return out;
}

/// Names and subjects, legitimate and malicious.
const std::vector<std::string>& texts()
{
    static const std::vector<std::string> all{
        "Ada",
        "Ada Lovelace 2",
        "Ада Лавлейс",
        "愛達",
        "Zoë",
        "👩‍💻 Ada",
        "Lovelace, Ada",
        "Ada (the Countess)",
        R"("The" <Boss> \ O'Brien)",
        "eve@evil.example",
        "Eve <eve@evil.example>,",
        "=?UTF-8?Q?Eve?=",
        "a=?b?=",
        "group:;",
        "undisclosed-recipients:;",
        repeated("n", 59),
        repeated("n", 60),
        repeated("long word ", 30) + "end",
        repeated("n", 500),
        repeated("é", 200),
        repeated("愛", 100),
        repeated("👩‍💻", 60),
        repeated("x", 41) + "é" + repeated("y", 41) + "👩‍💻",
    };
    return all;
}

} // namespace

BOOST_AUTO_TEST_SUITE(mime)

BOOST_FIXTURE_TEST_CASE(an_ascii_email_arrives_unchanged, delivery_fixture)
{
    auto email = make_email("ada@example.org");
    email.headers.emplace_back("Auto-Submitted", "auto-generated");
    email.headers.emplace_back("List-Unsubscribe",
                               "<https://id.example.org/unsubscribe?token=" + repeated("x", 200) + ">");
    auto received = read(email);
    BOOST_TEST(received.from == "no-reply@id.example.org");
    BOOST_TEST(received.recipients == std::vector<std::string>{"ada@example.org"},
               boost::test_tools::per_element());
    BOOST_TEST(received.sender.name == "Latchkey");
    BOOST_TEST(received.sender.address == "no-reply@id.example.org");
    BOOST_TEST(received.reader.name == "Ada Lovelace");
    BOOST_TEST(received.reader.address == "ada@example.org");
    BOOST_TEST(received.subject == email.subject);
    BOOST_TEST(received.text == email.text);
    BOOST_TEST(received.html == email.html);
    BOOST_TEST(received.headers.at("date") == email.date);
    BOOST_TEST(received.headers.at("auto-submitted") == "auto-generated");
    BOOST_TEST(received.headers.at("list-unsubscribe") == email.headers[1].second);
    BOOST_TEST(received.headers.size() == 9u);
    BOOST_TEST(support::link_in(received) == "https://id.example.org/verify#token=abc_DEF-1");
    BOOST_TEST(received.raw.find("token=abc_DEF-1") != std::string::npos); // readable in the raw message
    check_bytes(received.raw);
}

BOOST_FIXTURE_TEST_CASE(names_and_subjects_of_any_script_arrive_unchanged, delivery_fixture)
{
    for (auto& text : texts())
        BOOST_TEST_CONTEXT(text)
        {
            auto email = make_email("ada@example.org");
            email.from.name = email.to.name = email.subject = text;
            auto received = read(email);
            BOOST_TEST(received.subject == text);
            BOOST_TEST(received.reader.name == text);
            BOOST_TEST(received.reader.address == "ada@example.org");
            BOOST_TEST(received.sender.name == text);
            BOOST_TEST(received.sender.address == "no-reply@id.example.org");
            BOOST_TEST(received.headers.size() == 7u);
            BOOST_TEST(received.text == email.text);
            check_bytes(received.raw);
        }
}

BOOST_FIXTURE_TEST_CASE(name_and_subject_are_optional, delivery_fixture)
{
    for (auto text : {"", " ", "   "})
        BOOST_TEST_CONTEXT("'" << text << "'")
        {
            auto email = make_email("ada@example.org");
            email.from.name = email.to.name = email.subject = text;
            auto received = read(email);
            BOOST_TEST(boost::trim_copy(received.reader.name) == "");
            BOOST_TEST(received.reader.address == "ada@example.org");
            BOOST_TEST(received.sender.address == "no-reply@id.example.org");
            BOOST_TEST(boost::trim_copy(received.subject) == "");
            BOOST_TEST(received.text == email.text);
            check_bytes(received.raw);
        }
}

BOOST_FIXTURE_TEST_CASE(leading_and_trailing_spaces_are_harmless, delivery_fixture)
{
    for (auto text : {" Ada", "Ada ", "  Ada  ", " Zoë ", "  愛達  "})
        BOOST_TEST_CONTEXT("'" << text << "'")
        {
            auto email = make_email("ada@example.org");
            email.to.name = email.subject = text;
            auto received = read(email);
            BOOST_TEST(boost::trim_copy(received.reader.name) == boost::trim_copy(std::string(text)));
            BOOST_TEST(boost::trim_copy(received.subject) == boost::trim_copy(std::string(text)));
            BOOST_TEST(received.headers.size() == 7u);
        }
}

BOOST_FIXTURE_TEST_CASE(no_name_or_subject_can_inject_a_header_or_a_body, delivery_fixture)
{
    for (std::string evil :
         {"Ada\r\nBcc: eve@evil.example", "Ada\nBcc: eve@evil.example", "Ada\rBcc: eve@evil.example",
          "Ada\r\n\r\nA body of my own", "\r\nX-Evil: 1", "\nX-Evil: 1\n", "Ada\r\n X-Evil: 1",
          "Ada\r\n.\r\nMAIL FROM:<eve@evil.example>", "Ада\r\nBcc: eve@evil.example"})
        BOOST_TEST_CONTEXT(evil)
        {
            auto email = make_email("ada@example.org");
            email.from.name = email.to.name = email.subject = evil;
            auto received = read(email);
            BOOST_TEST(received.headers.size() == 7u);
            BOOST_TEST(!received.headers.contains("bcc"));
            BOOST_TEST(!received.headers.contains("x-evil"));
            BOOST_TEST(received.recipients.size() == 1u);
            BOOST_TEST(received.reader.address == "ada@example.org");
            BOOST_TEST(received.sender.address == "no-reply@id.example.org");
            BOOST_TEST(received.text == email.text);
            check_bytes(received.raw);
        }
    BOOST_TEST(std::ranges::all_of(mail_server.emails(),
                                   [](auto& one) { return one.from == "no-reply@id.example.org"; }));
}

BOOST_AUTO_TEST_CASE(no_address_header_value_or_id_can_inject_a_header)
{
    auto email = make_email("ada@example.org>\r\nBcc: <eve@evil.example");
    email.from.address = "no-reply@id.example.org>\nX-Evil: <1";
    email.id = "id\r\nX-Evil: 1@id.example.org";
    email.date += "\r\nX-Evil: 1";
    email.headers.emplace_back("X-Kind", "reset\r\nX-Evil: 1");
    auto message = server::to_mime(email);
    for (auto line : lines_of(header_of(message))) {
        BOOST_TEST(!line.starts_with("X-Evil"), line);
        BOOST_TEST(!line.starts_with("Bcc"), line);
    }
    check_bytes(message);
}

BOOST_FIXTURE_TEST_CASE(a_body_arrives_unchanged, delivery_fixture)
{
    const std::vector<std::string> bodies{
        ".\n..\n.hidden\n",
        "before\n.\nafter\n",
        "Zoë\n.\n..\nafter\n",
        "From here on\n>From there\n",
        repeated("word ", 4000) + "\n",
        repeated("x", 20'000) + "\nand on\n",
        repeated("x", 899) + "\n" + repeated("y", 900) + "\n" + repeated("z", 901) + "\n",
        repeated("é", 5000) + "\n",
        repeated("👩‍💻", 500) + "\n",
        "trailing spaces   \nand tabs\t\t\nend \n",
        "Zoë   \n\t\n \n= =3D =\n=\n",
        "=?UTF-8?Q?no?= header\n",
        "--part-email\n\n--\n",
        repeated("\n", 40) + "deep down\n",
        "text without a final line end",
        repeated("x", 74) + "=\n" + repeated("x", 75) + "é\n" + repeated("é", 25) + "\n",
        "Content-Type: text/evil\n\n<script>\n",
    };
    for (auto& body : bodies)
        BOOST_TEST_CONTEXT(body.substr(0, 60))
        {
            auto email = make_email("ada@example.org");
            email.text = email.html = body;
            auto received = read(email);
            BOOST_TEST((received.text == body), received.text);
            BOOST_TEST((received.html == body), received.html);
            BOOST_TEST(received.headers.size() == 7u);
            check_bytes(received.raw);
        }
}

BOOST_AUTO_TEST_CASE(the_date_is_the_current_time)
{
    auto date = server::mail_date();
    static const std::regex form("(Mon|Tue|Wed|Thu|Fri|Sat|Sun), [0-3][0-9] "
                                 "(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) 20[0-9]{2} "
                                 "[0-2][0-9]:[0-5][0-9]:[0-5][0-9] \\+0000");
    BOOST_TEST(std::regex_match(date, form), date);
    std::tm read{};
    BOOST_REQUIRE(strptime(date.c_str(), "%a, %d %b %Y %H:%M:%S", &read) != nullptr);
    BOOST_TEST(std::abs(std::difftime(timegm(&read), std::time(nullptr))) < 60);
}

BOOST_AUTO_TEST_SUITE_END()
