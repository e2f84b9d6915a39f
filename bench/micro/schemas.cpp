// Schema cost per request: parsing and validating a login, serializing its response.
#include "schemas/api_key.hpp"
#include "schemas/auth.hpp"

#include <benchmark/benchmark.h>

namespace {

using namespace schemas;

void parse_login(benchmark::State& state)
{
    const std::string body =
        R"({"email":"Ada.Lovelace@example.org","password":"correct horse battery staple"})";
    for (auto _ : state)
        benchmark::DoNotOptimize(parse_body<login>(body));
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(body.size()));
}
BENCHMARK(parse_login);

void parse_login_with_four_errors(benchmark::State& state)
{
    const std::string body = R"({"email":"invalid","password":"","extra":1,"more":2})";
    for (auto _ : state)
        benchmark::DoNotOptimize(parse_body<login>(body));
}
BENCHMARK(parse_login_with_four_errors);

void parse_key_query(benchmark::State& state)
{
    const std::vector<std::pair<std::string, std::string>> query{{"limit", "100"}, {"status", "active"}};
    for (auto _ : state)
        benchmark::DoNotOptimize(parse_query<api_key_query>(query));
}
BENCHMARK(parse_key_query);

login_result sample_login_result()
{
    login_result out;
    out.access_token = std::string(420, 'a');
    out.expires_in = 3600;
    out.refresh_token = std::string(64, 'r');
    out.user.email = "ada@example.org";
    out.user.name = "Ada Lovelace";
    out.user.locale = "en";
    out.user.timezone = "Europe/London";
    out.workspace.emplace();
    out.workspace->name = "Analytical Engines";
    return out;
}

void write_login_result(benchmark::State& state)
{
    const auto result = sample_login_result();
    std::string out;
    for (auto _ : state) {
        out.clear();
        append_json(out, result);
        benchmark::DoNotOptimize(out.data());
    }
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(out.size()));
}
BENCHMARK(write_login_result);

void write_page_of_200_keys(benchmark::State& state)
{
    page<api_key_row> rows;
    rows.items.resize(200);
    for (auto& row : rows.items) {
        row.prefix = "ab12cd34";
        row.name = "continuous integration";
        row.scopes = {"content:read", "api_keys:read"};
    }
    for (auto _ : state)
        benchmark::DoNotOptimize(to_json(rows));
}
BENCHMARK(write_page_of_200_keys);

} // namespace
