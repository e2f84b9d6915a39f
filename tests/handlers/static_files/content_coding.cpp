// Content negotiation: the table of Accept-Encoding.
#include "handlers/static_files/content_coding.hpp"

#include "tests/handlers/handler_fixture.hpp"

#include <boost/test/unit_test.hpp>

#include <string>

using namespace handlers;

namespace {

struct coding_fixture : test::handler_fixture {
    std::string chosen(std::initializer_list<std::string_view> lines,
                       available_codings available = {true, true})
    {
        test::request_message sent;
        for (auto line : lines)
            sent.insert(handlers::http::field::accept_encoding, line);
        request with{sent.head(), sent.body(), "/", "", req.client, "r1"};
        auto name = to_text(choose_coding(with, available));
        return name.empty() ? "identity" : std::string(name);
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(content_coding)

BOOST_FIXTURE_TEST_CASE(the_greatest_weight_wins, coding_fixture)
{
    const std::pair<std::string_view, std::string_view> table[] = {
        {"br", "br"},
        {"gzip", "gzip"},
        {"x-gzip", "gzip"},
        {"GZIP", "gzip"},
        {"gzip, deflate, br, zstd", "br"},
        {"gzip;q=1.0, br;q=0.9", "gzip"},
        {"gzip;q=0.9, br;q=0.901", "br"},
        {"br;q=0, gzip", "gzip"},
        {"br;q=0.0, gzip; q=0.000", "identity"},
        {"*", "br"},
        {"*;q=0", "identity"},
        {"br;q=0, *", "gzip"},
        {"*;q=0.1, gzip;q=0.2", "gzip"},
        {"identity", "identity"},
        {"identity, gzip;q=0.5", "identity"},
        {"identity;q=0.4, gzip;q=0.5", "gzip"},
        {"identity;q=0, gzip;q=0", "identity"},
        {"identity;q=0.5, *;q=0", "identity"},
        {"deflate", "identity"},
        {"", "identity"},
        {"gzip;q=2", "identity"},
        {"gzip;q=-1", "identity"},
        {"gzip;q=1.001", "identity"},
        {"gzip;q=0.0001", "identity"},
        {"gzip;q=abc", "identity"},
        {"gzip;q=", "identity"},
        {"gzip;Q=0.5", "gzip"},
        {"gzip;q=1.", "gzip"},
        {" gzip ; q = 0.5 , br;q=0.4", "gzip"},
        {",, gzip ,", "gzip"},
        {"gzip;x=1;q=0, br;q=0", "identity"},
    };
    for (auto& [sent, expected] : table)
        BOOST_TEST(chosen({sent}) == expected, sent);
}

BOOST_FIXTURE_TEST_CASE(all_header_lines_count, coding_fixture)
{
    BOOST_TEST(chosen({}) == "identity");
    BOOST_TEST(chosen({"gzip", "br"}) == "br");
    BOOST_TEST(chosen({"br;q=0.1", "gzip;q=0.2"}) == "gzip");
}

BOOST_FIXTURE_TEST_CASE(only_what_exists_is_chosen, coding_fixture)
{
    BOOST_TEST(chosen({"br, gzip"}, {false, true}) == "gzip");
    BOOST_TEST(chosen({"br, gzip"}, {true, false}) == "br");
    BOOST_TEST(chosen({"br, gzip, *"}, {}) == "identity");
}

BOOST_AUTO_TEST_SUITE_END()
