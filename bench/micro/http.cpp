// HTTP cost per request: parsing and validating the header, serializing the response.
#include "server/http/request_validation.hpp"
#include "server/http/response_writer.hpp"

#include <benchmark/benchmark.h>
#include <string>

namespace {

const std::string raw = "GET /api/v1/users/auth?permission=content:read HTTP/1.1\r\n"
                        "Host: api.example.com\r\n"
                        "Authorization: Bearer tnx_0a1b2c3d_0123456789abcdefghijABCDEFGHIJ0123456789\r\n"
                        "User-Agent: proxy/1.0\r\n"
                        "X-Request-Id: 6f9619ff8b86d011b42d00c04fc964ff\r\n\r\n";

void parse(server::request_parser& parser)
{
    boost::system::error_code error;
    parser.rebase(raw.data());
    parser.feed(raw, error);
}

void parse_a_request(benchmark::State& state)
{
    for (auto _ : state) {
        server::request_parser parser;
        parse(parser);
        benchmark::DoNotOptimize(parser.is_done());
    }
}
BENCHMARK(parse_a_request);

void validate_a_header(benchmark::State& state)
{
    server::request_parser parser;
    parse(parser);
    for (auto _ : state)
        benchmark::DoNotOptimize(server::validate_header(parser));
}
BENCHMARK(validate_a_header);

void write_a_response(benchmark::State& state)
{
    handlers::reply reply;
    reply.content_type = {};
    reply.add_header("X-User-Id", "0197d1d2-0000-7000-8000-000000000001");
    reply.add_header("X-Workspace-Id", "0197d1d2-0000-7000-8000-000000000002");
    auto date = server::http_date();
    server::response_options frame;
    frame.date = date;
    frame.request_id = "6f9619ff8b86d011b42d00c04fc964ff";
    std::string out;
    for (auto _ : state) {
        out.clear();
        server::write_response(out, reply, frame);
        benchmark::DoNotOptimize(out.data());
    }
}
BENCHMARK(write_a_response);

} // namespace
