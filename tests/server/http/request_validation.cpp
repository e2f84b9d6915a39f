// Request validation: headers that the parser accepts and the server must not.
#include "server/http/request_validation.hpp"

#include <boost/test/unit_test.hpp>

#include <string>

namespace {

/// Whether validate_header() rejects a header that the parser accepts.
bool is_rejected(const std::string& raw)
{
    server::request_parser parser;
    parser.rebase(raw.data());
    boost::system::error_code error;
    parser.feed(raw, error);
    BOOST_REQUIRE_MESSAGE(!error, raw << error.message());
    BOOST_REQUIRE(parser.is_header_done());
    return server::validate_header(parser).has_value();
}

} // namespace

BOOST_AUTO_TEST_SUITE(request_validation)

BOOST_AUTO_TEST_CASE(valid_headers_pass)
{
    for (auto raw :
         {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET /x?y=1 HTTP/1.1\r\nhost: a.example:8080\r\n\r\n",
          "GET / HTTP/1.0\r\n\r\n", "GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n",
          "GET http://a.example/x HTTP/1.1\r\nHost: A.example\r\n\r\n",
          "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\nX:\r\n\r\n",
          "GET / HTTP/1.1\r\nHost:a\r\nX: \t\r\nY:1\r\n\r\n",
          "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n"})
        BOOST_TEST(!is_rejected(raw), raw);
}

BOOST_AUTO_TEST_CASE(ambiguous_headers_are_rejected)
{
    for (auto raw : {"GET / HTTP/1.1\r\n\r\n",
                     "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
                     "GET / HTTP/1.1\r\nHost:\r\n\r\n",
                     "GET / HTTP/1.1\r\nHost: a b\r\n\r\n",
                     "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n",
                     "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n",
                     "GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\n 2\r\n\r\n",
                     "GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\n\t2\r\n\r\n",
                     "GET / HTTP/1.1\r\nHost: a\r\nX:\r\n 2\r\n\r\n",
                     "GET / HTTP/1.1\r\nHost: a\r\nX: \r\n \r\n\r\n",
                     "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n",
                     "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
                     "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\n",
                     "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
                     "GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n",
                     "GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n",
                     "GET x HTTP/1.1\r\nHost: a\r\n\r\n",
                     "GET * HTTP/1.1\r\nHost: a\r\n\r\n",
                     "CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n",
                     "GET /#x HTTP/1.1\r\nHost: a\r\n\r\n"})
        BOOST_TEST(is_rejected(raw), raw);
}

BOOST_AUTO_TEST_CASE(a_target_is_split_into_path_and_query)
{
    auto check = [](std::string_view text, std::string_view path, std::string_view query) {
        auto out = server::split_target(text);
        BOOST_TEST(out.path == path, text);
        BOOST_TEST(out.query == query, text);
    };
    check("/a/b", "/a/b", "");
    check("/a?x=1?y", "/a", "x=1?y");
    check("/?", "/", "");
    check("http://host/a?b", "/a", "b");
    check("http://host", "/", "");
    check("http://host?b", "/", "b");
    check("*", "*", "");
}

BOOST_AUTO_TEST_SUITE_END()
