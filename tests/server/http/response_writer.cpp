#include "server/http/response_writer.hpp"

#include <boost/test/unit_test.hpp>

namespace {

std::string written(const handlers::reply& reply, const server::reply_frame& frame)
{
    std::string out;
    server::write_reply(out, reply, frame);
    return out;
}

server::reply_frame plain()
{
    server::reply_frame frame;
    frame.request_id = "r1";
    frame.date = "D";
    return frame;
}

} // namespace

BOOST_AUTO_TEST_SUITE(response_writer)

BOOST_AUTO_TEST_CASE(a_reply_is_whole)
{
    handlers::reply reply;
    reply.body = "{}";
    BOOST_TEST(written(reply, plain()) ==
               "HTTP/1.1 200 OK\r\nDate: D\r\nContent-Type: application/json\r\n"
               "Content-Length: 2\r\nCache-Control: no-store\r\nX-Request-Id: r1\r\n\r\n{}");
}

BOOST_AUTO_TEST_CASE(head_has_the_length_but_not_the_body)
{
    handlers::reply reply;
    reply.body = "12345";
    auto frame = plain();
    frame.is_head = true;
    auto text = written(reply, frame);
    BOOST_TEST(text.find("Content-Length: 5\r\n") != std::string::npos);
    BOOST_TEST(text.ends_with("\r\n\r\n"));
}

BOOST_AUTO_TEST_CASE(no_content_has_neither_body_nor_length)
{
    handlers::reply reply;
    reply.status = 204;
    reply.content_type = {};
    auto text = written(reply, plain());
    BOOST_TEST(text.starts_with("HTTP/1.1 204 No Content\r\n"));
    BOOST_TEST(text.find("Content-") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(the_connection_header_tells_what_happens_next)
{
    handlers::reply reply;
    auto frame = plain();
    BOOST_TEST(written(reply, frame).find("Connection:") == std::string::npos);
    frame.old_client = true;
    BOOST_TEST(written(reply, frame).find("Connection: keep-alive\r\n") != std::string::npos);
    frame.keep_alive = false;
    BOOST_TEST(written(reply, frame).find("Connection: close\r\n") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(no_value_can_add_a_line)
{
    handlers::reply reply;
    reply.add_header("X-A", "1\r\nX-B: 2");
    BOOST_TEST(reply.headers == "X-A: 1X-B: 2\r\n");
}

BOOST_AUTO_TEST_CASE(the_date_has_its_fixed_form)
{
    auto date = server::http_date();
    BOOST_TEST(date.size() == 29u);
    BOOST_TEST(date.ends_with(" GMT"));
}

BOOST_AUTO_TEST_SUITE_END()
