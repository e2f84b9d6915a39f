// Request reader: parsing from arbitrary reads, pipelining, and the limits of header and chunks.
#include "server/http/request_reader.hpp"

#include <boost/beast/core/error.hpp>
#include <boost/test/unit_test.hpp>

#include <cstring>
#include <string>
#include <string_view>

namespace {

/// Receive bytes as a connection does.
void receive(server::request_reader& reader, std::string_view bytes, std::size_t keep_from)
{
    auto space = reader.prepare(keep_from);
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
    for (char byte : get) {
        BOOST_TEST(!parser.is_header_done());
        receive(reader, {&byte, 1}, 0);
        BOOST_TEST(!reader.parse(parser).has_value());
    }
    BOOST_TEST(parser.is_done());
    BOOST_TEST(parser.get().target() == "/a");
    BOOST_TEST(reader.parsed_since(0) == get);
    BOOST_TEST(!reader.has_unparsed());
}

BOOST_AUTO_TEST_CASE(pipelined_requests_are_parsed_one_by_one)
{
    server::request_reader reader;
    receive(reader, std::string(get) + "GET /b HTTP/1.1\r\n", 0);
    server::request_parser first, second;
    BOOST_TEST(!reader.parse(first).has_value());
    BOOST_TEST(first.get().target() == "/a");
    BOOST_TEST(reader.has_unparsed());

    auto begin = reader.position();
    BOOST_TEST(!reader.parse(second).has_value());
    BOOST_TEST(!second.is_header_done());
    receive(reader, "Host: a\r\n\r\n", begin); // moves the second request to the front
    BOOST_TEST(!reader.parse(second).has_value());
    BOOST_TEST(second.is_done());
    BOOST_TEST(reader.parsed_since(0) == "GET /b HTTP/1.1\r\nHost: a\r\n\r\n");
}

BOOST_AUTO_TEST_CASE(cleared_bytes_are_not_parsed)
{
    server::request_reader reader;
    receive(reader, "not HTTP", 0);
    reader.clear();
    BOOST_TEST(!reader.has_unparsed());
    receive(reader, get, 0);
    server::request_parser parser;
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
        receive(reader, header, 0);
        BOOST_REQUIRE(!reader.parse(parser).has_value());
        auto fields = server::count_fields(parser);
        receive(reader, body, reader.position());
        BOOST_REQUIRE(!reader.parse(parser).has_value());
        return server::check_chunk_framing(parser, fields, unparsed);
    };
    BOOST_TEST(!check("1\r\nx\r\n0\r\n\r\n", 0).has_value());
    BOOST_TEST(check("1\r\nx\r\n0\r\nX-Late: 1\r\n\r\n", 0).value().code.status() == 400u);
    BOOST_TEST(!check("1\r\nx\r\n", server::max_header_size).has_value());
    BOOST_TEST(check("1\r\nx\r\n", server::max_header_size + 1).value().code.status() == 431u);
}

BOOST_AUTO_TEST_SUITE_END()
