#include "bench/load/failure.hpp"
#include "bench/load/load.hpp"
#include "bench/scenarios/certificate.hpp"
#include "tests/support/tcp_server.hpp"
#include "tests/support/temporary_folder.hpp"

#include <boost/asio/read_until.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>
#include <boost/test/unit_test.hpp>

#include <string>

namespace asio = boost::asio;
namespace ssl = asio::ssl;
using tcp = asio::ip::tcp;

namespace {

const std::string head = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n";

bench::url url_of(const support::tcp_server& server)
{
    return {.host = "127.0.0.1", .port = server.port(), .target = "/", .uses_tls = true};
}

/// Answers each request over TLS, in two records.
class https_server {
public:
    explicit https_server(int greatest_version = TLS1_3_VERSION)
    {
        auto files = bench::make_certificate(folder_.path());
        context_.use_certificate_chain_file(files.certificate);
        context_.use_private_key_file(files.key, ssl::context::pem);
        SSL_CTX_set_max_proto_version(context_.native_handle(), greatest_version);
    }

    bench::url where() const { return url_of(server_); }
    std::size_t connections() const { return connections_; }

private:
    void serve(tcp::socket& peer)
    {
        ++connections_;
        ssl::stream<tcp::socket&> tls(peer, context_);
        tls.handshake(tls.server);
        for (std::string received;;) {
            auto size = asio::read_until(tls, asio::dynamic_buffer(received), "\r\n\r\n");
            received.erase(0, size);
            asio::write(tls, asio::buffer(head));
            asio::write(tls, asio::buffer("hello", 5));
        }
    }

    support::temporary_folder folder_;
    ssl::context context_{ssl::context::tls_server};
    std::atomic<std::size_t> connections_ = 0;
    support::tcp_server server_{[this](auto& peer) { serve(peer); }};
};

/// A number of equal requests.
class repetition : public bench::request_source {
public:
    repetition(std::string bytes, std::size_t count) : bytes_(std::move(bytes)), left_(count) {}
    std::optional<bench::request> next() override
    {
        if (left_ == 0)
            return {};
        --left_;
        return bench::request{bytes_};
    }

private:
    std::string bytes_;
    std::size_t left_;
};

constexpr std::size_t requests = 40;

/// Send them on two connections, or each on one of its own.
bench::load_result run(const https_server& server, bool reconnects, bool resumes,
                       std::chrono::milliseconds duration = std::chrono::seconds(30))
{
    bench::load_plan plan;
    plan.targets = {bench::resolve(server.where())};
    plan.connections = 2;
    plan.warmup = {};
    plan.duration = duration;
    plan.reconnects = reconnects;
    plan.resumes_sessions = resumes;
    auto request = bench::make_request("GET", server.where());
    bench::load load(plan, {{"get", 200}},
                     [&](auto, auto) { return std::make_unique<repetition>(request, requests); });
    return load.wait();
}

} // namespace

BOOST_AUTO_TEST_SUITE(stream_test)

BOOST_AUTO_TEST_CASE(the_blocking_client_speaks_https_on_one_connection)
{
    https_server server;
    bench::http_client client(server.where());
    for (int twice = 0; twice < 2; ++twice) {
        auto reply = client.call("GET", "/");
        BOOST_TEST(reply.status == 200);
        BOOST_TEST(reply.body == "hello");
    }
    BOOST_TEST(server.connections() == 1u);
}

BOOST_AUTO_TEST_CASE(the_generator_speaks_https_on_its_connections)
{
    https_server server;
    auto result = run(server, false, false);
    auto total = result.total();
    BOOST_TEST(total.expected == requests);
    BOOST_TEST(total.unexpected() == 0u);
    BOOST_TEST(result.full_handshakes == 2u);
    BOOST_TEST(result.resumed_handshakes == 0u);
    BOOST_TEST(server.connections() == 2u);
}

BOOST_AUTO_TEST_CASE(each_request_has_a_connection_of_its_own_on_demand)
{
    https_server server;
    auto full = run(server, true, false);
    auto total = full.total();
    BOOST_TEST(total.expected == requests);
    BOOST_TEST(total.unexpected() == 0u);
    BOOST_TEST(full.full_handshakes >= requests);
    BOOST_TEST(full.resumed_handshakes == 0u);

    auto resumed = run(server, true, true);
    BOOST_TEST(resumed.full_handshakes <= 2u); // the first of each connection
    BOOST_TEST(resumed.resumed_handshakes >= requests - 2);
    BOOST_TEST(resumed.total().unexpected() == 0u);
}

BOOST_AUTO_TEST_CASE(a_server_without_TLS_1_3_is_refused)
{
    https_server old(TLS1_2_VERSION);
    BOOST_CHECK_THROW(bench::http_client(old.where()).call("GET", "/"), bench::failure);
    support::tcp_server plain([](auto& peer) { asio::write(peer, asio::buffer(head + "hello")); });
    BOOST_CHECK_THROW(bench::http_client(url_of(plain)).call("GET", "/"), bench::failure);
    auto result = run(old, false, false, std::chrono::milliseconds(500));
    BOOST_TEST(result.refused > 0u);
    BOOST_TEST(result.total().answered() == 0u);
}

BOOST_AUTO_TEST_CASE(the_name_of_the_host_is_sent_unless_it_is_an_address)
{
    BOOST_TEST(bench::resolve({.host = "localhost", .port = 1, .target = "/"}).name == "localhost");
    BOOST_TEST(bench::resolve({.host = "127.0.0.1", .port = 1, .target = "/"}).name.empty());
    BOOST_TEST(bench::resolve({.host = "::1", .port = 1, .target = "/"}).name.empty());
}

BOOST_AUTO_TEST_SUITE_END()
