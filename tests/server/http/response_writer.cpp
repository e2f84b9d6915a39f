// Response writer: status line, header and body, byte by byte.
#include "server/http/response_writer.hpp"

#include <boost/test/unit_test.hpp>

namespace {

std::string serialize(const handlers::reply& reply, const server::response_options& options)
{
    std::string out;
    server::write_response(out, reply, options);
    return out;
}

server::response_options default_options()
{
    server::response_options options;
    options.request_id = "r1";
    options.date = "D";
    return options;
}

} // namespace

BOOST_AUTO_TEST_SUITE(response_writer)

BOOST_AUTO_TEST_CASE(a_response_has_status_header_and_body)
{
    handlers::reply reply;
    reply.body = "{}";
    BOOST_TEST(serialize(reply, default_options()) ==
               "HTTP/1.1 200 OK\r\nDate: D\r\nContent-Type: application/json\r\n"
               "Content-Length: 2\r\nCache-Control: no-store\r\n"
               "X-Content-Type-Options: nosniff\r\nX-Request-Id: r1\r\n\r\n{}");
}

BOOST_AUTO_TEST_CASE(a_response_to_head_has_the_length_without_the_body)
{
    handlers::reply reply;
    reply.body = "12345";
    auto options = default_options();
    options.is_head = true;
    auto text = serialize(reply, options);
    BOOST_TEST(text.find("Content-Length: 5\r\n") != std::string::npos);
    BOOST_TEST(text.ends_with("\r\n\r\n"));
}

BOOST_AUTO_TEST_CASE(no_content_has_neither_body_nor_length)
{
    handlers::reply reply;
    reply.status = 204;
    reply.content_type = {};
    auto text = serialize(reply, default_options());
    BOOST_TEST(text.starts_with("HTTP/1.1 204 No Content\r\n"));
    BOOST_TEST(text.find("\r\nContent-") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(every_response_forbids_content_sniffing)
{
    for (unsigned status : {200u, 201u, 202u, 204u, 302u, 304u, 400u, 401u, 404u, 413u, 500u, 503u})
        for (std::string_view type : {"application/json", "text/html; charset=utf-8", "image/png", ""})
            for (bool is_head : {false, true}) {
                handlers::reply reply;
                reply.status = status;
                reply.content_type = type;
                auto options = default_options();
                options.is_head = is_head;
                auto text = serialize(reply, options);
                auto at = text.find("\r\nX-Content-Type-Options: nosniff\r\n");
                BOOST_TEST(at != std::string::npos);
                BOOST_TEST(text.find("X-Content-Type-Options", at + 20) == std::string::npos);
            }
}

BOOST_AUTO_TEST_CASE(the_connection_header_depends_on_version_and_keep_alive)
{
    handlers::reply reply;
    auto options = default_options();
    BOOST_TEST(serialize(reply, options).find("Connection:") == std::string::npos);
    options.is_http_1_0 = true;
    BOOST_TEST(serialize(reply, options).find("Connection: keep-alive\r\n") != std::string::npos);
    options.keep_alive = false;
    BOOST_TEST(serialize(reply, options).find("Connection: close\r\n") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_header_value_cannot_add_a_line)
{
    handlers::reply reply;
    reply.add_header("X-A", "1\r\nX-B: 2");
    BOOST_TEST(reply.headers == "X-A: 1X-B: 2\r\n");
}

BOOST_AUTO_TEST_CASE(the_date_is_an_imf_fixdate)
{
    auto date = server::http_date();
    BOOST_TEST(date.size() == 29u);
    BOOST_TEST(date.ends_with(" GMT"));
}

BOOST_AUTO_TEST_CASE(a_large_static_body_is_not_copied)
{
    const std::string small(100, 's'), large(1'000'000, 'l');
    for (auto body : {std::string_view(small), std::string_view(large)}) {
        handlers::reply reply;
        reply.static_body = body;
        std::string out;
        auto rest = server::write_response(out, reply, default_options());
        BOOST_TEST(out.find("Content-Length: " + std::to_string(body.size()) + "\r\n") != out.npos);
        BOOST_TEST((rest.data() == body.data()) == (body.size() == large.size()));
        BOOST_TEST((out.substr(out.find("\r\n\r\n") + 4) + std::string(rest) == body));

        auto head = default_options();
        head.is_head = true;
        out.clear();
        BOOST_TEST(server::write_response(out, reply, head).empty());
        BOOST_TEST(out.ends_with("\r\n\r\n"));
        reply.status = 304;
        BOOST_TEST(server::write_response(out, reply, default_options()).empty());
    }
}

BOOST_AUTO_TEST_SUITE_END()
