#include "tests/handlers/oidc/https_client_fixture.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/test/unit_test.hpp>

#include <chrono>
#include <future>
#include <thread>

using namespace handlers;
using namespace handlers::test;
using namespace std::chrono_literals;
using std::chrono::steady_clock;

BOOST_FIXTURE_TEST_SUITE(https_client_limits, https_client_fixture)

BOOST_AUTO_TEST_CASE(every_phase_is_bounded_by_the_deadline)
{
    trust(home());
    settings.deadline = 300ms;
    const std::pair<const char*, tcp_server::behaviour> slow[] = {
        {"https", stay_silent},
        {"https", over_tls(home(), [](tls_stream& stream) { stay_silent(stream.next_layer()); })},
        {"http", stay_silent},
        {"http",
         [](tcp_server::socket& peer) {
             send(peer, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
             stay_silent(peer);
         }},
        {"http",
         [](tcp_server::socket& peer) {
             send(peer, "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n");
             for (;;) { // a slow drip must not extend the deadline
                 send(peer, "x");
                 std::this_thread::sleep_for(20ms);
             }
         }},
        {"http",
         [](tcp_server::socket& peer) {
             for (auto c : std::string("HTTP/1.1 200 OK\r\nX: ") + std::string(1000, 'x')) {
                 send(peer, std::string_view(&c, 1));
                 std::this_thread::sleep_for(20ms);
             }
         }},
    };
    for (auto& [scheme, behaviour] : slow) {
        auto begin = steady_clock::now();
        auto why = failure_of(behaviour, scheme);
        auto took = steady_clock::now() - begin;
        BOOST_TEST(has(why, "timed out"), why);
        BOOST_TEST((took >= 280ms && took < 10s));
    }
}

BOOST_AUTO_TEST_CASE(oversized_responses_are_rejected)
{
    settings.deadline = 15s;
    settings.body_limit = 1000;
    settings.header_limit = 1000;
    auto after_request = [](auto work) {
        return [work](tcp_server::socket& peer) {
            read_request(peer);
            work(peer);
        };
    };
    BOOST_TEST(failure_of(over_plain(make_response("200 OK", std::string(1000, 'x')))) == "");
    BOOST_TEST(has(failure_of(over_plain(make_response("200 OK", std::string(1001, 'x')))), "body limit"));
    const std::string chunk = "400\r\n" + std::string(1024, 'x') + "\r\n";
    for (std::string_view head :
         {"HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n",
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"}) {
        auto begin = steady_clock::now();
        auto why = failure_of(after_request([&](tcp_server::socket& peer) {
            send(peer, head);
            send_endlessly(peer, chunk);
        }));
        BOOST_TEST(has(why, "body limit"), why);
        BOOST_TEST((steady_clock::now() - begin < 10s));
    }
    for (std::string_view head :
         {"HTTP/1.1 200 OK\r\nX: ", "HTTP/1.1 200 ", "HTTP/1.1 200 OK\r\nSet-Cookie: a\r\n",
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;a="}) {
        auto begin = steady_clock::now();
        auto why = failure_of(after_request([&](tcp_server::socket& peer) {
            send(peer, head);
            send_endlessly(peer, head.ends_with("\r\n") ? "Set-Cookie: a\r\n" : "xxxxxxxx");
        }));
        BOOST_TEST(why != "");
        BOOST_TEST(!has(why, "timed out"), why);
        BOOST_TEST((steady_clock::now() - begin < 10s));
    }
}

BOOST_AUTO_TEST_CASE(truncated_responses_are_failures)
{
    for (auto text :
         {"", "HTTP/1.1", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabcd",
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n", "SSH-2.0-x\r\n\r\n",
          "HTTP/1.1 100 Continue\r\n\r\n",
          "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx", "HTTP/1.1 99 What\r\n\r\n",
          "\r\n\r\n"})
        BOOST_TEST(failure_of(over_plain(text)) != "", text);
    BOOST_TEST(failure_of(tcp_server::behaviour(reset)) != "");
    BOOST_TEST(failure_of(tcp_server::behaviour(reset), "https") != "");
    BOOST_TEST(failure_of([](tcp_server::socket& peer) {
                   read_request(peer);
                   send(peer, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab");
                   reset(peer);
               }) != "");
}

BOOST_AUTO_TEST_CASE(tls_streams_must_end_with_close_notify)
{
    trust(home());
    auto serve = [](bool tell) {
        return over_tls(home(), [tell](tls_stream& stream) {
            read_request(stream);
            send(stream, "HTTP/1.1 200 OK\r\n\r\n{}");
            if (tell)
                stream.shutdown();
        });
    };
    BOOST_TEST(failure_of(serve(true), "https") == "");
    BOOST_TEST(failure_of(serve(false), "https") != "");
}

BOOST_AUTO_TEST_CASE(concurrent_calls_are_limited)
{
    settings.max_calls = 2;
    settings.deadline = 2s;
    tcp_server server(stay_silent);
    auto one = asio::co_spawn(io, client().get(url_of(server)), asio::use_future);
    auto two = asio::co_spawn(io, client().get(url_of(server)), asio::use_future);
    io.run_for(50ms);
    auto begin = steady_clock::now();
    BOOST_TEST(has(failure_of(url_of(server)), "too many calls"));
    BOOST_TEST((steady_clock::now() - begin < 1s));
    io.restart();
    io.run();
    BOOST_CHECK_THROW(one.get(), https_failure);
    BOOST_CHECK_THROW(two.get(), https_failure);
    BOOST_TEST(has(failure_of(url_of(server)), "timed out")); // a slot is free again
}

BOOST_AUTO_TEST_CASE(unresolvable_names_are_failures)
{
    BOOST_TEST(failure_of(std::string("https://missing.invalid/")) != "");
    made.reset();
    settings.resolve = [](const std::string&) -> db::dns_resolver::addresses {
        throw std::runtime_error("no such name");
    };
    BOOST_TEST(has(failure_of(std::string("https://issuer.example/")), "no such name"));
    made.reset();
    settings.resolve = [](const std::string&) { return db::dns_resolver::addresses(); };
    BOOST_TEST(has(failure_of(std::string("https://issuer.example/")), "no address"));
}

BOOST_AUTO_TEST_CASE(a_dead_name_server_blocks_no_other_call)
{
    std::promise<void> enough;
    auto ended = enough.get_future().share();
    settings.resolve = [ended](const std::string&) {
        ended.wait();
        return db::dns_resolver::addresses();
    };
    settings.deadline = 100ms;
    settings.max_calls = 2;
    auto begin = steady_clock::now();
    {
        asio::io_context short_lived(1);
        handlers::https_client asking(short_lived.get_executor(), settings);
        auto ask = [&](const std::string& url) {
            try {
                support::run(short_lived, [&] { return asking.get(url); });
            } catch (const https_failure& e) {
                return std::string(e.what());
            }
            return std::string();
        };
        BOOST_TEST(has(ask("https://a.example/"), "name resolution timed out"));
        BOOST_TEST(has(ask("https://b.example/"), "name resolution timed out"));
        BOOST_TEST(has(ask("https://a.example/"), "name resolution timed out")); // joins the first
        BOOST_TEST(has(ask("https://c.example/"), "too many host names")); // the two threads are still busy
    }
    BOOST_TEST((steady_clock::now() - begin < 10s)); // nor does the shutdown wait for them
    enough.set_value();
    std::this_thread::sleep_for(50ms);
}

BOOST_AUTO_TEST_CASE(calls_survive_the_destruction_of_the_client)
{
    tcp_server server(stay_silent);
    settings.deadline = 200ms;
    auto left = asio::co_spawn(io, client().get(url_of(server)), asio::use_future);
    io.run_for(50ms);
    made.reset();
    io.run();
    BOOST_CHECK_THROW(left.get(), https_failure);
    // Another is destroyed with its io_context while a call is in flight.
    asio::io_context short_lived(1);
    {
        handlers::https_client asking(short_lived.get_executor(), settings);
        asio::co_spawn(short_lived, asking.get(url_of(server)), asio::detached);
        asio::co_spawn(short_lived, asking.get("https://localhost:1/"), asio::detached);
        short_lived.run_for(20ms);
    }
}

BOOST_AUTO_TEST_SUITE_END()
