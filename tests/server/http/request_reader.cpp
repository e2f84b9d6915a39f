// Request reader: parsing from arbitrary reads, pipelining, and the limits of header and chunks.
#include "server/http/request_reader.hpp"

#include <boost/beast/core/error.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace {

using boost::beast::http::field;

/// Receive bytes as a connection does.
void receive(server::request_reader& reader, server::request_parser* parser, std::string_view bytes)
{
    auto space = reader.prepare(parser);
    BOOST_REQUIRE(space.size() >= bytes.size());
    std::memcpy(space.data(), bytes.data(), bytes.size());
    reader.commit(bytes.size());
}

constexpr std::string_view get = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n";

} // namespace

BOOST_AUTO_TEST_SUITE(request_reader)

BOOST_AUTO_TEST_CASE(a_request_is_parsed_byte_by_byte)
{
    server::request_reader reader;
    server::request_parser parser;
    reader.begin_request();
    for (char byte : get) {
        BOOST_TEST(!parser.is_header_done());
        receive(reader, &parser, {&byte, 1});
        BOOST_TEST(!reader.parse(parser).has_value());
    }
    BOOST_TEST(parser.is_done());
    BOOST_TEST(parser.head().target() == "/a");
    BOOST_TEST(parser.head()[field::host] == "a");
    BOOST_TEST(!reader.has_unparsed());
}

BOOST_AUTO_TEST_CASE(pipelined_requests_are_parsed_one_by_one)
{
    server::request_reader reader;
    receive(reader, nullptr, std::string(get) + "GET /b HTTP/1.1\r\n");
    server::request_parser first, second;
    reader.begin_request();
    BOOST_TEST(!reader.parse(first).has_value());
    BOOST_TEST(first.head().target() == "/a");
    BOOST_TEST(reader.has_unparsed());

    reader.begin_request();
    BOOST_TEST(!reader.parse(second).has_value());
    BOOST_TEST(!second.is_header_done());
    receive(reader, &second, "Host: b\r\n\r\n"); // moves the second request to the front
    BOOST_TEST(!reader.parse(second).has_value());
    BOOST_TEST(second.is_done());
    BOOST_TEST(second.head().target() == "/b");
    BOOST_TEST(second.head()[field::host] == "b");
}

BOOST_AUTO_TEST_CASE(the_head_outlasts_reads_of_a_long_body)
{
    server::request_reader reader;
    receive(reader, nullptr, get);
    server::request_parser first, second;
    reader.begin_request();
    BOOST_TEST(!reader.parse(first).has_value());

    reader.begin_request();
    const std::string piece(4000, 'x');
    receive(reader, &second, "POST /b HTTP/1.1\r\nHost: b\r\nX-A:\r\nContent-Length: 400000\r\n\r\n");
    BOOST_TEST(!reader.parse(second).has_value());
    std::size_t largest = 0;
    for (int i = 0; i < 100; ++i) {
        BOOST_TEST(!second.is_done());
        auto space = reader.prepare(&second);
        BOOST_TEST(second.head().target() == "/b"); // also before the next bytes are parsed
        largest = std::max(largest, space.size());
        std::memcpy(space.data(), piece.data(), piece.size());
        reader.commit(piece.size());
        BOOST_TEST(!reader.parse(second).has_value());
    }
    BOOST_TEST(second.is_done());
    BOOST_TEST(second.body().size() == 400000u);
    BOOST_TEST(second.head().target() == "/b");
    BOOST_TEST(second.head()[field::host] == "b");
    BOOST_TEST(second.head()["x-a"].empty());
    BOOST_TEST(second.head().field_count() == 3u);
    BOOST_TEST(largest < 16384u); // parsed bytes of the body are discarded
}

BOOST_AUTO_TEST_CASE(attached_memory_is_used_as_long_as_it_suffices)
{
    std::vector<char> memory(6000);
    auto is_inside = [&](const void* at) {
        auto byte = static_cast<const char*>(at);
        return byte >= memory.data() && byte < memory.data() + memory.size();
    };
    server::request_reader reader;
    reader.attach(memory);
    server::request_parser first, second;
    reader.begin_request();
    BOOST_TEST(is_inside(reader.prepare(&first).data()));
    receive(reader, &first, "GET /a HTTP/1.1\r\nHost: a\r\nX-Large: " + std::string(5000, 'x'));
    BOOST_TEST(!reader.parse(first).has_value());
    BOOST_TEST(!is_inside(reader.prepare(&first).data()));
    receive(reader, &first, "\r\nX-Last: 1\r\n\r\n" + std::string(get));
    BOOST_TEST(!reader.parse(first).has_value());
    BOOST_TEST(first.is_done());
    BOOST_TEST(first.head()["X-Large"].size() == 5000u);
    BOOST_TEST(first.head()["X-Last"] == "1");

    // The next request moves back, and is the one that followed.
    reader.begin_request();
    BOOST_TEST(is_inside(reader.prepare(&second).data()));
    BOOST_TEST(!reader.parse(second).has_value());
    BOOST_TEST(second.is_done());
    BOOST_TEST(second.head().target() == "/a");

    reader.detach();
    BOOST_TEST(!reader.has_unparsed());
    server::request_parser third;
    reader.begin_request();
    receive(reader, &third, get); // without memory of its own
    BOOST_TEST(!reader.parse(third).has_value());
    BOOST_TEST(third.is_done());
}

BOOST_AUTO_TEST_CASE(fields_are_found_by_name_in_any_case_and_in_their_order)
{
    server::request_reader reader;
    server::request_parser parser;
    reader.begin_request();
    receive(reader, nullptr,
            "GET / HTTP/1.1\r\nhost: a\r\nCOOKIE: 1\r\nx-request-ID:\t r1 \r\nCookie: 2\r\n\r\n");
    BOOST_TEST(!reader.parse(parser).has_value());
    auto& head = parser.head();
    BOOST_TEST(head[field::host] == "a");
    BOOST_TEST(head["X-Request-Id"] == "r1");
    BOOST_TEST(head["X-Request"].empty());
    std::string cookies;
    for (auto line : head.lines(field::cookie))
        cookies.append(line).append(";");
    BOOST_TEST(cookies == "1;2;");
    BOOST_TEST(head.lines(field::authorization).empty());
}

/// Parse a header with so many fields of 20 bytes each, received in pieces of 4000 bytes.
std::optional<handlers::problem> parse_fields(server::request_parser& parser, std::size_t count)
{
    std::string text = "GET / HTTP/1.1\r\nHost: a\r\n";
    for (std::size_t i = 0; i < count; ++i)
        text += "X-Field: 0123456789\r\n";
    text += "X-Last: 1\r\n\r\n";

    server::request_reader reader;
    parser.header_limit(server::max_header_size);
    reader.begin_request();
    std::optional<handlers::problem> problem;
    for (std::string_view rest = text; !problem && !rest.empty();) {
        auto piece = rest.substr(0, 4000);
        rest.remove_prefix(piece.size());
        receive(reader, &parser, piece);
        problem = reader.parse(parser);
    }
    if (!problem)
        BOOST_TEST(parser.head()["X-Last"] == "1"); // while its bytes live
    return problem;
}

BOOST_AUTO_TEST_CASE(a_header_has_as_many_fields_as_fit_into_its_limit)
{
    server::request_parser fits, does_not_fit;
    BOOST_TEST(!parse_fields(fits, 1500).has_value());
    BOOST_TEST(fits.head().field_count() == 1502u);

    auto problem = parse_fields(does_not_fit, 1800);
    BOOST_TEST_REQUIRE(problem.has_value());
    BOOST_TEST(problem->code.status() == 431u);
}

BOOST_AUTO_TEST_CASE(a_header_that_is_taken_stays_where_it_is)
{
    server::request_reader reader;
    server::request_parser parser;
    reader.begin_request();
    receive(reader, &parser, get);
    server::request_parser earlier;
    BOOST_TEST(!reader.parse(earlier).has_value());
    reader.begin_request();
    receive(reader, &parser,
            "POST /b?c=d HTTP/1.1\r\nHost: a\r\nX-Request-Id: r1\r\nContent-Length: 9000\r\n\r\nbo");
    BOOST_TEST(!reader.parse(parser).has_value());
    auto header = reader.take_header();
    parser.rebase(header.data());
    auto target = parser.head().target(), id = parser.head()["X-Request-Id"];
    parser.eager(true);
    for (std::string rest(8998, 'd'); !parser.is_done();) {
        BOOST_TEST_REQUIRE(!reader.parse(parser).has_value());
        auto piece = rest.substr(0, 3000);
        rest.erase(0, piece.size());
        if (!piece.empty())
            receive(reader, nullptr, piece);
    }
    BOOST_TEST(parser.body() == "bo" + std::string(8998, 'd'));
    BOOST_TEST(target == "/b?c=d");
    BOOST_TEST(id == "r1");
    BOOST_TEST((target.data() >= header.data() && id.data() < header.data() + header.size()));
}

BOOST_AUTO_TEST_CASE(cleared_bytes_are_not_parsed)
{
    server::request_reader reader;
    receive(reader, nullptr, "not HTTP");
    reader.clear();
    BOOST_TEST(!reader.has_unparsed());
    receive(reader, nullptr, get);
    server::request_parser parser;
    reader.begin_request();
    BOOST_TEST(!reader.parse(parser).has_value());
    BOOST_TEST(parser.is_done());
}

BOOST_AUTO_TEST_CASE(errors_have_the_status_of_their_cause)
{
    auto status = [](boost::system::error_code error) { return server::to_problem(error).code.status(); };
    BOOST_TEST(status(boost::beast::http::error::bad_version) == 400u);
    BOOST_TEST(status(boost::beast::error::timeout) == 408u);
    BOOST_TEST(status(boost::beast::http::error::body_limit) == 413u);
    BOOST_TEST(status(boost::beast::http::error::header_limit) == 431u);
}

BOOST_AUTO_TEST_CASE(trailers_and_long_chunk_headers_are_rejected)
{
    const std::string header = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    auto check = [&](std::string_view body, std::size_t unparsed) {
        server::request_reader reader;
        server::request_parser parser;
        parser.eager(true);
        reader.begin_request();
        receive(reader, &parser, header);
        BOOST_REQUIRE(!reader.parse(parser).has_value());
        receive(reader, &parser, body);
        BOOST_REQUIRE(!reader.parse(parser).has_value());
        return server::check_chunk_framing(parser, unparsed);
    };
    BOOST_TEST(!check("1\r\nx\r\n0\r\n\r\n", 0).has_value());
    BOOST_TEST(check("1\r\nx\r\n0\r\nX-Late: 1\r\n\r\n", 0).value().code.status() == 400u);
    BOOST_TEST(!check("1\r\nx\r\n", server::max_header_size).has_value());
    BOOST_TEST(check("1\r\nx\r\n", server::max_header_size + 1).value().code.status() == 431u);
}

BOOST_AUTO_TEST_SUITE_END()
