// Letters as bytes, judged by a mail server and a reader that others wrote.
#include "server/mail/mime.hpp"

#include "tests/server/mail/mail_fixture.hpp"

#include <boost/algorithm/string/trim.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <regex>
#include <string>
#include <string_view>
#include <vector>

using correspondence::letter_to;

namespace {

struct reader {
    support::mail read(const server::mail& letter)
    {
        auto went = sender->send(letter);
        BOOST_REQUIRE_MESSAGE(went.what == server::delivery::outcome::sent, went.cause);
        auto id = "<" + letter.id + ">";
        return peer.wait_for([&](const support::mail& one) { return one.headers.at("message-id") == id; });
    }

    support::mail_server peer;
    std::unique_ptr<server::mail_transport> sender =
        server::send_by_smtp(correspondence::plain(peer), &correspondence::never);
};

std::vector<std::string_view> lines_of(std::string_view text)
{
    std::vector<std::string_view> out;
    for (auto end = text.find("\r\n"); end != std::string_view::npos; end = text.find("\r\n")) {
        out.push_back(text.substr(0, end));
        text.remove_prefix(end + 2);
    }
    BOOST_TEST(text.empty()); // the last line ends, too
    return out;
}

std::string_view header_of(std::string_view message)
{
    auto end = message.find("\r\n\r\n");
    BOOST_REQUIRE(end != std::string_view::npos);
    return message.substr(0, end + 2);
}

/// What any server on the way may rely on (RFC 5322, 2.1.1; RFC 2047, 2).
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

/// Names and subjects that people have, and that nobody should have.
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

BOOST_FIXTURE_TEST_CASE(a_plain_letter_arrives_as_it_was_written, reader)
{
    auto letter = letter_to("ada@example.org");
    letter.headers.emplace_back("Auto-Submitted", "auto-generated");
    letter.headers.emplace_back("List-Unsubscribe",
                                "<https://id.example.org/unsubscribe?token=" + repeated("x", 200) + ">");
    auto mail = read(letter);
    BOOST_TEST(mail.from == "no-reply@id.example.org");
    BOOST_TEST(mail.recipients == std::vector<std::string>{"ada@example.org"},
               boost::test_tools::per_element());
    BOOST_TEST(mail.sender.name == "Latchkey");
    BOOST_TEST(mail.sender.address == "no-reply@id.example.org");
    BOOST_TEST(mail.reader.name == "Ada Lovelace");
    BOOST_TEST(mail.reader.address == "ada@example.org");
    BOOST_TEST(mail.subject == letter.subject);
    BOOST_TEST(mail.text == letter.text);
    BOOST_TEST(mail.html == letter.html);
    BOOST_TEST(mail.headers.at("date") == letter.date);
    BOOST_TEST(mail.headers.at("auto-submitted") == "auto-generated");
    BOOST_TEST(mail.headers.at("list-unsubscribe") == letter.headers[1].second);
    BOOST_TEST(mail.headers.size() == 9u);
    BOOST_TEST(support::link_in(mail) == "https://id.example.org/verify?token=abc_DEF-1");
    BOOST_TEST(mail.raw.find("token=abc_DEF-1") != std::string::npos); // for people who look at the bytes
    check_bytes(mail.raw);
}

BOOST_FIXTURE_TEST_CASE(names_and_subjects_of_any_script_are_read_as_they_were_written, reader)
{
    for (auto& text : texts())
        BOOST_TEST_CONTEXT(text)
        {
            auto letter = letter_to("ada@example.org");
            letter.from.name = letter.to.name = letter.subject = text;
            auto mail = read(letter);
            BOOST_TEST(mail.subject == text);
            BOOST_TEST(mail.reader.name == text);
            BOOST_TEST(mail.reader.address == "ada@example.org");
            BOOST_TEST(mail.sender.name == text);
            BOOST_TEST(mail.sender.address == "no-reply@id.example.org");
            BOOST_TEST(mail.headers.size() == 7u);
            BOOST_TEST(mail.text == letter.text);
            check_bytes(mail.raw);
        }
}

BOOST_FIXTURE_TEST_CASE(there_need_not_be_a_name_or_a_subject, reader)
{
    for (auto text : {"", " ", "   "})
        BOOST_TEST_CONTEXT("'" << text << "'")
        {
            auto letter = letter_to("ada@example.org");
            letter.from.name = letter.to.name = letter.subject = text;
            auto mail = read(letter);
            BOOST_TEST(boost::trim_copy(mail.reader.name) == "");
            BOOST_TEST(mail.reader.address == "ada@example.org");
            BOOST_TEST(mail.sender.address == "no-reply@id.example.org");
            BOOST_TEST(boost::trim_copy(mail.subject) == "");
            BOOST_TEST(mail.text == letter.text);
            check_bytes(mail.raw);
        }
}

BOOST_FIXTURE_TEST_CASE(spaces_at_the_ends_do_no_harm, reader)
{
    for (auto text : {" Ada", "Ada ", "  Ada  ", " Zoë ", "  愛達  "})
        BOOST_TEST_CONTEXT("'" << text << "'")
        {
            auto letter = letter_to("ada@example.org");
            letter.to.name = letter.subject = text;
            auto mail = read(letter);
            BOOST_TEST(boost::trim_copy(mail.reader.name) == boost::trim_copy(std::string(text)));
            BOOST_TEST(boost::trim_copy(mail.subject) == boost::trim_copy(std::string(text)));
            BOOST_TEST(mail.headers.size() == 7u);
        }
}

BOOST_FIXTURE_TEST_CASE(no_value_adds_a_header_or_a_body, reader)
{
    for (std::string evil :
         {"Ada\r\nBcc: eve@evil.example", "Ada\nBcc: eve@evil.example", "Ada\rBcc: eve@evil.example",
          "Ada\r\n\r\nA body of my own", "\r\nX-Evil: 1", "\nX-Evil: 1\n", "Ada\r\n X-Evil: 1",
          "Ada\r\n.\r\nMAIL FROM:<eve@evil.example>", "Ада\r\nBcc: eve@evil.example"})
        BOOST_TEST_CONTEXT(evil)
        {
            auto letter = letter_to("ada@example.org");
            letter.from.name = letter.to.name = letter.subject = evil;
            auto mail = read(letter);
            BOOST_TEST(mail.headers.size() == 7u);
            BOOST_TEST(!mail.headers.contains("bcc"));
            BOOST_TEST(!mail.headers.contains("x-evil"));
            BOOST_TEST(mail.recipients.size() == 1u);
            BOOST_TEST(mail.reader.address == "ada@example.org");
            BOOST_TEST(mail.sender.address == "no-reply@id.example.org");
            BOOST_TEST(mail.text == letter.text);
            check_bytes(mail.raw);
        }
    BOOST_TEST(
        std::ranges::all_of(peer.mails(), [](auto& one) { return one.from == "no-reply@id.example.org"; }));
}

BOOST_AUTO_TEST_CASE(neither_does_an_address_a_header_or_an_id)
{
    auto letter = letter_to("ada@example.org>\r\nBcc: <eve@evil.example");
    letter.from.address = "no-reply@id.example.org>\nX-Evil: <1";
    letter.id = "id\r\nX-Evil: 1@id.example.org";
    letter.date += "\r\nX-Evil: 1";
    letter.headers.emplace_back("X-Kind", "reset\r\nX-Evil: 1");
    auto message = server::to_mime(letter);
    for (auto line : lines_of(header_of(message))) {
        BOOST_TEST(!line.starts_with("X-Evil"), line);
        BOOST_TEST(!line.starts_with("Bcc"), line);
    }
    check_bytes(message);
}

BOOST_FIXTURE_TEST_CASE(a_body_is_read_as_it_was_written, reader)
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
        "--part-letter\n\n--\n",
        repeated("\n", 40) + "deep down\n",
        "a letter without an end of its line",
        repeated("x", 74) + "=\n" + repeated("x", 75) + "é\n" + repeated("é", 25) + "\n",
        "Content-Type: text/evil\n\n<script>\n",
    };
    for (auto& body : bodies)
        BOOST_TEST_CONTEXT(body.substr(0, 60))
        {
            auto letter = letter_to("ada@example.org");
            letter.text = letter.html = body;
            auto mail = read(letter);
            BOOST_TEST((mail.text == body), mail.text);
            BOOST_TEST((mail.html == body), mail.html);
            BOOST_TEST(mail.headers.size() == 7u);
            check_bytes(mail.raw);
        }
}

BOOST_AUTO_TEST_CASE(a_letter_has_the_date_of_now)
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
