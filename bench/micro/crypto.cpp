// Cryptographic primitives: the figures behind caching, the hash queue and the default costs.
#include "crypto/api_key.hpp"
#include "crypto/argon2/argon2.hpp"
#include "crypto/encoding.hpp"
#include "crypto/hash.hpp"
#include "crypto/jwt.hpp"
#include "crypto/keyring.hpp"
#include "crypto/password.hpp"
#include "crypto/random.hpp"
#include "crypto/seal.hpp"
#include "crypto/siphash.hpp"
#include "crypto/token_signer.hpp"

#include <array>
#include <benchmark/benchmark.h>
#include <span>
#include <string_view>

namespace {

using namespace crypto;

void sha256_of_50_bytes(benchmark::State& state)
{
    const std::string text(50, 'x');
    for (auto _ : state)
        benchmark::DoNotOptimize(sha256(text));
}
BENCHMARK(sha256_of_50_bytes);

void hmac_of_50_bytes(benchmark::State& state)
{
    hmac_sha256 mac(key{1});
    const std::string text(50, 'x');
    for (auto _ : state)
        benchmark::DoNotOptimize(mac(text));
}
BENCHMARK(hmac_of_50_bytes);

void siphash_of_50_bytes(benchmark::State& state)
{
    siphash hash(std::array<std::uint8_t, siphash::key_size>{1});
    const std::string text(50, 'x');
    for (auto _ : state)
        benchmark::DoNotOptimize(hash(text));
}
BENCHMARK(siphash_of_50_bytes);

void make_a_uuid(benchmark::State& state)
{
    for (auto _ : state)
        benchmark::DoNotOptimize(make_uuid_v7());
}
BENCHMARK(make_a_uuid);

void draw_32_random_bytes(benchmark::State& state)
{
    for (auto _ : state)
        benchmark::DoNotOptimize(random_bytes<32>());
}
BENCHMARK(draw_32_random_bytes);

void parse_a_key(benchmark::State& state)
{
    auto text = make_api_key().text;
    for (auto _ : state)
        benchmark::DoNotOptimize(parse_api_key(text));
}
BENCHMARK(parse_a_key);

void digest_a_key(benchmark::State& state)
{
    api_key_digester digest_of(key{1});
    auto text = make_api_key().text;
    for (auto _ : state)
        benchmark::DoNotOptimize(digest_of(text));
}
BENCHMARK(digest_a_key);

void open_a_cursor(benchmark::State& state)
{
    token_signer signer(key{1});
    auto token = signer.sign("01939c5e-8f00-7abc-8def-0123456789ab", "team");
    for (auto _ : state)
        benchmark::DoNotOptimize(signer.verify(token, "team"));
}
BENCHMARK(open_a_cursor);

void open_a_sealed_value(benchmark::State& state)
{
    constexpr auto purpose = seal_purpose::provider_tokens;
    sealer box{keyring(key{1})};
    auto sealed = box.seal(purpose, std::vector<std::uint8_t>(100), "grant");
    for (auto _ : state)
        benchmark::DoNotOptimize(box.open(purpose, sealed, "grant"));
}
BENCHMARK(open_a_sealed_value);

claims sample_claims()
{
    return {.issuer = "https://id.example.org",
            .subject = "01939c5e-8f00-7abc-8def-0123456789ab",
            .audience = "https://id.example.org",
            .token_id = "01939c5e-8f00-7abc-8def-0123456789ac",
            .session_id = "01939c5e-8f00-7abc-8def-0123456789ad",
            .workspace_id = "01939c5e-8f00-7abc-8def-0123456789ae",
            .role = "member",
            .membership_id = "01939c5e-8f00-7abc-8def-0123456789af",
            .issued_at = 1'800'000'000,
            .expires_at = 1'800'003'600};
}

void sign_a_token(benchmark::State& state, jwt_algorithm algorithm)
{
    jwt_keys keys(signing_key::generate(algorithm), {});
    auto claims = sample_claims();
    for (auto _ : state)
        benchmark::DoNotOptimize(keys.sign(claims));
}
BENCHMARK_CAPTURE(sign_a_token, es256, jwt_algorithm::es256);
BENCHMARK_CAPTURE(sign_a_token, eddsa, jwt_algorithm::eddsa);

void verify_a_token(benchmark::State& state, jwt_algorithm algorithm)
{
    jwt_keys keys(signing_key::generate(algorithm), {});
    auto claims = sample_claims();
    auto token = keys.sign(claims);
    for (auto _ : state)
        benchmark::DoNotOptimize(keys.verify(token, claims.issuer, claims.audience, claims.issued_at));
}
BENCHMARK_CAPTURE(verify_a_token, es256, jwt_algorithm::es256);
BENCHMARK_CAPTURE(verify_a_token, eddsa, jwt_algorithm::eddsa);

void reject_a_forged_header(benchmark::State& state)
{
    jwt_keys keys(signing_key::generate(jwt_algorithm::es256), {});
    auto claims = sample_claims();
    auto token = keys.sign(claims);
    ++token[10];
    for (auto _ : state)
        benchmark::DoNotOptimize(keys.verify(token, claims.issuer, claims.audience, claims.issued_at));
}
BENCHMARK(reject_a_forged_header);

// Machine speed drifts between consecutive benchmarks. To compare them, interleave:
// --benchmark_filter=hash_a_password --benchmark_enable_random_interleaving --benchmark_repetitions=10

constexpr std::string_view password = "correct horse battery staple";

/// Shared by all benchmarks, so that none pays for fresh pages.
hash_arena& arena()
{
    static hash_arena memory;
    return memory;
}

void hash_a_password(benchmark::State& state, argon2_engine engine)
{
    for (auto _ : state)
        benchmark::DoNotOptimize(hash_password(arena(), password, password_costs{}, engine));
}
BENCHMARK_CAPTURE(hash_a_password, built_in, argon2_engine::built_in)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(hash_a_password, libargon2, argon2_engine::libargon2)->Unit(benchmark::kMillisecond);

void hash_a_password(benchmark::State& state, argon2_kernel kernel)
{
    if (!can_run(kernel)) {
        state.SkipWithError("not supported by this processor");
        return;
    }
    const std::array<std::uint8_t, 16> salt{};
    const password_costs costs;
    argon2_parameters in{bytes_of(password), salt, costs.memory_kib, costs.iterations, costs.lanes};
    std::span<std::uint8_t> memory(arena().reserve(in.memory_size()), in.memory_size());
    std::array<std::uint8_t, 32> tag;
    for (auto _ : state) {
        argon2id(in, tag, memory, kernel);
        benchmark::DoNotOptimize(tag);
    }
}
BENCHMARK_CAPTURE(hash_a_password, portable, argon2_kernel::portable)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(hash_a_password, avx2, argon2_kernel::avx2)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(hash_a_password, avx512, argon2_kernel::avx512)->Unit(benchmark::kMillisecond);

} // namespace
