// What a remembered principal takes in memory, and what finding one costs: few of them, and very many.
#include "db/principals/principal_cache.hpp"

#include <algorithm>
#include <benchmark/benchmark.h>
#include <cstring>
#include <malloc.h>
#include <numeric>
#include <random>
#include <vector>

namespace {

/// Bytes the heap has handed out.
std::size_t heap_bytes()
{
    auto all = mallinfo2();
    return all.uordblks + all.hblkhd;
}

template <class Bytes>
Bytes random_bytes(std::mt19937_64& chance)
{
    Bytes out;
    auto to = reinterpret_cast<unsigned char*>(&out);
    for (std::size_t at = 0; at < sizeof out; at += 8) {
        auto value = chance();
        std::memcpy(to + at, &value, std::min<std::size_t>(8, sizeof out - at));
    }
    return out;
}

/// A user's key; one in ten has the same user as the one before, and all are of a thousand workspaces.
db::principal_ref made_up(std::mt19937_64& chance, const std::vector<db::uuid>& workspaces,
                          db::scope_list scopes)
{
    static db::uuid user{};
    if (chance() % 10 != 0)
        user = random_bytes<db::uuid>(chance);
    auto who = new db::principal;
    who->kind = db::principal::kind_type::api_key;
    who->credential_id = random_bytes<db::uuid>(chance);
    who->user_id = user;
    who->workspace_id = workspaces[chance() % workspaces.size()];
    who->role = db::role::member;
    who->prefix = "abcdefgh";
    who->scopes = scopes;
    who->digest = random_bytes<db::digest>(chance);
    return db::principal_ref(who);
}

/// `range` principals are remembered; each is found in an order that no prefetcher foresees.
void find_remembered(benchmark::State& state)
{
    auto count = static_cast<std::size_t>(state.range(0));
    std::mt19937_64 chance(1);
    std::vector<db::uuid> workspaces(1000);
    for (auto& each : workspaces)
        each = random_bytes<db::uuid>(chance);
    db::scope_lists shared;
    auto scopes = shared.share({"content:read", "content:write"});
    std::vector<db::digest> keys;
    keys.reserve(count);

    auto before = heap_bytes();
    db::principal_cache cache(count * 256);
    for (std::size_t i = 0; i < count; ++i) {
        auto who = made_up(chance, workspaces, scopes);
        keys.push_back(who->digest);
        cache.store(std::move(who));
    }
    state.counters["bytes_each"] =
        static_cast<double>(heap_bytes() - before) / static_cast<double>(cache.size());
    state.counters["remembered"] = static_cast<double>(cache.size());

    std::ranges::shuffle(keys, chance);
    std::size_t next = 0;
    for (auto _ : state) {
        benchmark::DoNotOptimize(cache.find(keys[next]));
        next = next + 1 < keys.size() ? next + 1 : 0;
    }
}
BENCHMARK(find_remembered)->Arg(1000)->Arg(100'000)->Arg(1'000'000);

} // namespace
