#include "bench/load/failure.hpp"
#include "bench/load/http_client.hpp"

#include <boost/test/unit_test.hpp>

using bench::response_reader;
using state = bench::response_reader::state;

namespace {

/// Feed a response in pieces of this size. @return the state after the last one
state feed_in_pieces(response_reader& reader, std::string_view text, std::size_t size)
{
    auto out = state::more;
    while (!text.empty() && out == state::more) {
        out = reader.feed(text.substr(0, size));
        text.remove_prefix(std::min(size, text.size()));
    }
    return text.empty() ? out : state::broken;
}

} // namespace

BOOST_AUTO_TEST_SUITE(http_client_test)

BOOST_AUTO_TEST_CASE(responses_are_parsed_in_pieces_of_any_size)
{
    constexpr std::string_view responses[] = {
        "HTTP/1.1 200 OK\r\nServer: x\r\ncontent-LENGTH: 5\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nhel\r\n2\r\nlo\r\n0\r\nA: b\r\n\r\n",
    };
    for (auto text : responses)
        for (std::size_t size = 1; size <= text.size(); ++size) {
            std::string body;
            response_reader reader;
            reader.keep_body(&body);
            for (int twice = 0; twice < 2; ++twice) {
                body.clear();
                BOOST_TEST((feed_in_pieces(reader, text, size) == state::done));
                BOOST_TEST(reader.status() == 200);
                BOOST_TEST(reader.keep_alive());
                BOOST_TEST(body == "hello");
                reader.restart();
                BOOST_TEST(!reader.started());
            }
        }
}

BOOST_AUTO_TEST_CASE(some_responses_have_no_body)
{
    response_reader reader;
    BOOST_TEST((reader.feed("HTTP/1.1 204 No Content\r\n\r\n") == state::done));
    reader.restart();
    BOOST_TEST((reader.feed("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") == state::done));
    reader.restart();
    BOOST_TEST((reader.feed("HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n") == state::done));
}

BOOST_AUTO_TEST_CASE(keep_alive_follows_version_and_header)
{
    response_reader reader;
    BOOST_TEST(
        (reader.feed("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n") == state::done));
    BOOST_TEST(!reader.keep_alive());
    reader.restart();
    BOOST_TEST((reader.feed("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n") == state::done));
    BOOST_TEST(!reader.keep_alive());
    reader.restart();
    BOOST_TEST((reader.feed("HTTP/1.1 200 OK\r\n\r\nuntil the end") == state::more));
    BOOST_TEST((reader.finish() == state::done));
    BOOST_TEST(!reader.keep_alive());
}

BOOST_AUTO_TEST_CASE(malformed_responses_are_broken)
{
    for (auto text : {"SSH-2.0-OpenSSH_9.2\r\n\r\n", "HTTP/1.1 999 Odd\r\n\r\n",
                      "HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n",
                      "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\ntwo",
                      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nno size\r\n"}) {
        response_reader reader;
        BOOST_TEST((reader.feed(text) == state::broken));
    }
    response_reader cut;
    BOOST_TEST((cut.feed("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab") == state::more));
    BOOST_TEST((cut.finish() == state::broken));
}

BOOST_AUTO_TEST_CASE(urls_are_parsed)
{
    auto whole = bench::parse_url("http://127.0.0.1:8080/a?b=c");
    BOOST_TEST(whole.host == "127.0.0.1");
    BOOST_TEST(whole.port == 8080);
    BOOST_TEST(whole.target == "/a?b=c");
    auto bare = bench::parse_url("http://localhost");
    BOOST_TEST(bare.port == 80);
    BOOST_TEST(bare.target == "/");
    auto secure = bench::parse_url("https://localhost/a");
    BOOST_TEST(secure.uses_tls);
    BOOST_TEST(secure.port == 443);
    BOOST_TEST(secure.text() == "https://localhost:443/a");
    BOOST_TEST(bench::parse_url("https://localhost:8443").origin() == "https://localhost:8443");
    for (auto wrong : {"ftp://x/", "https://", "localhost:80", "http://", "http://x:0/", "http://x:80a/",
                       "http://x:99999/"})
        BOOST_CHECK_THROW(bench::parse_url(wrong), bench::failure);
}

BOOST_AUTO_TEST_CASE(requests_have_the_required_headers)
{
    auto where = bench::parse_url("http://127.0.0.1:8080/x");
    BOOST_TEST(bench::make_request("GET", where) == "GET /x HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n\r\n");
    bench::header token{"Authorization", "Bearer t"};
    BOOST_TEST(bench::make_request("POST", where, {&token, 1}, "{}") ==
               "POST /x HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nAuthorization: Bearer t\r\n"
               "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}");
}

BOOST_AUTO_TEST_SUITE_END()
