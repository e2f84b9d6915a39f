// The principal cache: memory per entry, and the cost of a lookup among few and very many.
#include "db/principals/principal_cache.hpp"

#include <algorithm>
#include <benchmark/benchmark.h>
#include <chrono>
#include <cstring>
#include <malloc.h>
#include <numeric>
#include <random>
#include <vector>

namespace {

/// Bytes allocated from the heap.
std::size_t heap_bytes()
{
    auto all = mallinfo2();
    return all.uordblks + all.hblkhd;
}

template <class Bytes>
Bytes random_bytes(std::mt19937_64& random)
{
    Bytes out;
    auto to = reinterpret_cast<unsigned char*>(&out);
    for (std::size_t at = 0; at < sizeof out; at += 8) {
        auto value = random();
        std::memcpy(to + at, &value, std::min<std::size_t>(8, sizeof out - at));
    }
    return out;
}

/// Makes principals of keys of users: one in ten belongs to the same user as the one before, and all to a
/// thousand workspaces.
class principal_source {
public:
    principal_source() : workspaces(1000)
    {
        for (auto& each : workspaces)
            each = random_bytes<db::uuid>(random);
    }

    db::principal_ref next()
    {
        if (random() % 10 != 0)
            user_ = random_bytes<db::uuid>(random);
        auto out = new db::principal;
        out->kind = db::principal::kind_type::api_key;
        out->credential_id = random_bytes<db::uuid>(random);
        out->user_id = user_;
        out->workspace_id = workspaces[random() % workspaces.size()];
        out->role = db::role::member;
        out->prefix = "abcdefgh";
        out->scopes = scopes_;
        out->digest = random_bytes<db::digest>(random);
        return db::principal_ref(out);
    }

    std::mt19937_64 random{1};
    std::vector<db::uuid> workspaces;

private:
    db::scope_lists shared_;
    db::scope_list scopes_ = shared_.share({"content:read", "content:write"});
    db::uuid user_{};
};

/** Lookups among `range` cached principals, in random order to defeat the prefetcher.
    @param with_hash by the hash of the credential's text, which is not computed here; else by its digest */
void find_cached(benchmark::State& state, bool with_hash)
{
    auto count = static_cast<std::size_t>(state.range(0));
    principal_source principals;
    std::vector<db::digest> keys;
    std::vector<db::credential_hash> hashes;
    keys.reserve(count);
    hashes.reserve(count);

    auto before = heap_bytes();
    db::principal_cache cache(count * 320);
    for (std::size_t i = 0; i < count; ++i) {
        auto entry = principals.next();
        keys.push_back(entry->digest);
        cache.store(std::move(entry));
    }
    state.counters["bytes_each"] =
        static_cast<double>(heap_bytes() - before) / static_cast<double>(cache.size());
    state.counters["cached"] = static_cast<double>(cache.size());

    std::ranges::shuffle(keys, principals.random);
    for (auto& key : keys) {
        hashes.push_back(random_bytes<db::credential_hash>(principals.random));
        cache.remember(hashes.back(), key);
    }
    auto known = std::ranges::count_if(hashes, [&](auto& hash) { return cache.find(hash) != nullptr; });
    state.counters["in_front"] = static_cast<double>(known) / static_cast<double>(count);
    std::size_t next = 0;
    for (auto _ : state) {
        if (with_hash)
            benchmark::DoNotOptimize(cache.find(hashes[next]));
        else
            benchmark::DoNotOptimize(cache.find(keys[next]));
        next = next + 1 < keys.size() ? next + 1 : 0;
    }
}
BENCHMARK_CAPTURE(find_cached, digest, false)->Arg(1000)->Arg(100'000)->Arg(1'000'000);
BENCHMARK_CAPTURE(find_cached, hash, true)->Arg(1000)->Arg(100'000)->Arg(1'000'000);

/** Evictions of a workspace with a hundred credentials among `range` cached principals. The time should
    depend on the hundred alone, but for the memory's latency. */
void evict_a_workspace(benchmark::State& state)
{
    auto count = static_cast<std::size_t>(state.range(0));
    principal_source principals;
    db::principal_cache cache((count + 1000) * 512);
    for (std::size_t i = 0; i < count; ++i)
        cache.store(principals.next());

    principals.workspaces = {random_bytes<db::uuid>(principals.random)};
    for (auto _ : state) {
        state.PauseTiming();
        for (int i = 0; i < 100; ++i)
            cache.store(principals.next());
        state.ResumeTiming();
        cache.evict(principals.workspaces.front());
    }
    state.counters["cached"] = static_cast<double>(cache.size());
}
BENCHMARK(evict_a_workspace)->Arg(1000)->Arg(100'000)->Arg(1'000'000)->Iterations(2000);

/** Eviction of everything among `range` cached principals: the first time is how long a core stands still,
    `slice_ns` how long for each slice of the memory that is freed later. */
void clear(benchmark::State& state)
{
    auto count = static_cast<std::size_t>(state.range(0));
    principal_source principals;
    db::principal_cache cache((count + 1000) * 256);
    db::negative_cache absent(2u << 20);
    double slices = 0, nanoseconds = 0;
    for (auto _ : state) {
        state.PauseTiming();
        for (std::size_t i = 0; i < count; ++i)
            cache.store(principals.next());
        state.ResumeTiming();
        cache.clear();
        absent.clear();
        state.PauseTiming();
        auto begin = std::chrono::steady_clock::now();
        do
            ++slices;
        while (cache.free_evicted(2000));
        nanoseconds +=
            std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - begin).count();
        state.ResumeTiming();
    }
    state.counters["slice_ns"] = nanoseconds / slices;
}
BENCHMARK(clear)->Arg(1000)->Arg(100'000)->Arg(1'000'000)->Iterations(5);

} // namespace
