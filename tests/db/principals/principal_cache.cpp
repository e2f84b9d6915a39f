#include "db/principals/principal_cache.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <map>
#include <optional>
#include <random>
#include <vector>

BOOST_AUTO_TEST_SUITE(principal_cache)

static db::digest digest_of(std::uint64_t n)
{
    db::digest out{};
    std::mt19937_64 spread(n);
    for (std::size_t at = 0; at < out.size(); at += 8) {
        auto value = spread();
        std::memcpy(out.data() + at, &value, 8);
    }
    return out;
}

static db::uuid id_of(std::uint64_t n)
{
    db::uuid out{};
    std::memcpy(out.data, &n, sizeof n);
    return out;
}

static db::principal_ref make(std::uint64_t key, std::uint64_t credential, std::uint64_t user = 0,
                              std::uint64_t workspace = 0)
{
    auto principal = boost::intrusive_ptr<db::principal>(new db::principal);
    principal->digest = digest_of(key);
    principal->credential_id = id_of(credential);
    if (user)
        principal->user_id = id_of(user);
    if (workspace)
        principal->workspace_id = id_of(workspace);
    return principal;
}

BOOST_AUTO_TEST_CASE(a_stored_principal_is_found_until_evicted)
{
    db::principal_cache cache(1 << 20);
    auto principal = make(1, 100, 200, 300);
    cache.store(principal);
    BOOST_TEST((cache.find(digest_of(1)) == principal));
    BOOST_TEST(!cache.find(digest_of(2)));
    cache.evict(digest_of(1));
    BOOST_TEST(!cache.find(digest_of(1)));
    BOOST_TEST(cache.bytes() == 0u);
}

BOOST_AUTO_TEST_CASE(storing_again_replaces)
{
    db::principal_cache cache(1 << 20);
    cache.store(make(1, 100, 200));
    auto newer = make(1, 101, 201);
    cache.store(newer);
    BOOST_TEST(cache.size() == 1u);
    cache.evict(id_of(200));
    BOOST_TEST((cache.find(digest_of(1)) == newer));
}

BOOST_AUTO_TEST_CASE(each_kind_of_subject_evicts_its_own_and_no_other)
{
    for (std::uint64_t subject : {100u, 200u, 300u}) {
        db::principal_cache cache(1 << 20);
        cache.store(make(1, 100, 200, 300));
        cache.store(make(2, 101, 201, 301));
        cache.evict(id_of(subject));
        BOOST_TEST(!cache.find(digest_of(1)));
        BOOST_TEST(cache.find(digest_of(2)));
    }
}

BOOST_AUTO_TEST_CASE(an_expired_entry_is_removed_on_lookup)
{
    db::principal_cache cache(1 << 20);
    cache.store(make(1, 100), 5);
    BOOST_TEST(cache.find(digest_of(1), 4));
    BOOST_TEST(!cache.find(digest_of(1), 5));
    BOOST_TEST(cache.size() == 0u);
}

static db::credential_hash hash_of(std::uint64_t n)
{
    std::mt19937_64 spread(~n);
    return {spread(), spread()};
}

BOOST_AUTO_TEST_CASE(a_hash_finds_its_entry_from_its_first_use_until_it_is_evicted)
{
    db::principal_cache cache(1 << 20);
    auto principal = make(1, 100);
    cache.store(principal, 5);
    BOOST_TEST(!cache.find(hash_of(1)));
    cache.remember(hash_of(2), digest_of(2)); // not cached: no effect
    cache.remember(hash_of(1), digest_of(1));
    BOOST_TEST((cache.find(hash_of(1)) == principal));
    BOOST_TEST(!cache.find(hash_of(2)));
    BOOST_TEST(!cache.find(db::credential_hash{hash_of(1)[0], hash_of(1)[1] + 1}));
    BOOST_TEST(!cache.find(db::credential_hash{hash_of(1)[0] + 1, hash_of(1)[1]}));
    BOOST_TEST(cache.find(hash_of(1), 4));
    BOOST_TEST(!cache.find(hash_of(1), 5)); // too old: removed
    BOOST_TEST(cache.size() == 0u);
}

BOOST_AUTO_TEST_CASE(a_hash_never_finds_another_entry)
{
    enum change { evict_digest, evict_subject, clear, replace, changes };
    for (int how = 0; how < changes; ++how) {
        db::principal_cache cache(1 << 20);
        cache.store(make(1, 100));
        cache.remember(hash_of(1), digest_of(1));
        BOOST_TEST(cache.find(hash_of(1)));
        if (how == evict_digest)
            cache.evict(digest_of(1));
        else if (how == evict_subject)
            cache.evict(id_of(100));
        else if (how == clear)
            cache.clear();
        else
            cache.store(make(1, 101));
        BOOST_TEST(!cache.find(hash_of(1)), "change " << how);
        cache.store(make(2, 102)); // takes the memory of the first
        BOOST_TEST(!cache.find(hash_of(1)), "change " << how);
    }
}

BOOST_AUTO_TEST_CASE(hashes_agree_with_digests_in_a_full_cache)
{
    db::principal_cache measure(1 << 20);
    measure.store(make(1, 1));
    db::principal_cache cache(200 * measure.bytes());
    std::mt19937_64 random(7);
    std::size_t by_hash = 0, by_digest = 0;
    for (int i = 0; i < 50'000; ++i) {
        auto key = random() % 300;
        auto found = cache.find(hash_of(key));
        auto known = cache.find(digest_of(key));
        BOOST_REQUIRE(!found || found == known);
        by_hash += found != nullptr;
        by_digest += known != nullptr;
        if (!known)
            cache.store(make(key, key + 1));
        else if (random() % 50 == 0)
            cache.evict(id_of(key + 1));
        else
            cache.remember(hash_of(key), digest_of(key));
    }
    BOOST_TEST(by_hash > by_digest / 2); // the front index forgets, but not much
}

BOOST_AUTO_TEST_CASE(a_cache_too_small_for_one_entry_stores_none)
{
    db::principal_cache cache(64);
    cache.store(make(1, 100));
    BOOST_TEST(cache.size() == 0u);
    BOOST_TEST(cache.bytes() == 0u);
}

namespace {

/// A read-through cache with a given capacity.
struct read_through {
    explicit read_through(std::size_t capacity)
    {
        db::principal_cache measure(1 << 20);
        measure.store(make(1, 1));
        cache.emplace(capacity * measure.bytes());
    }

    bool get(std::uint64_t key)
    {
        if (cache->find(digest_of(key)))
            return true;
        cache->store(make(key, key + 1));
        return false;
    }

    std::optional<db::principal_cache> cache;
};

/// Keys below `count` with a Zipf distribution, as is typical of cache workloads.
class zipf {
public:
    explicit zipf(std::size_t count)
    {
        double sum = 0;
        for (std::size_t i = 1; i <= count; ++i)
            sums_.push_back(sum += 1.0 / static_cast<double>(i));
    }

    std::uint64_t operator()(std::mt19937_64& random) const
    {
        auto at = std::uniform_real_distribution<double>(0, sums_.back())(random);
        return static_cast<std::uint64_t>(std::ranges::lower_bound(sums_, at) - sums_.begin());
    }

private:
    std::vector<double> sums_;
};

#if defined(__has_feature) && __has_feature(address_sanitizer)
constexpr int popular_keys = 3'000; // a lookup takes ten times as long under ASan
#else
constexpr int popular_keys = 10'000;
#endif

/// The hit ratio of popular keys, with so many one-time keys between two of them, once the cache is warm.
double hit_ratio(unsigned one_time_keys)
{
    read_through by(2 * popular_keys);
    std::mt19937_64 random(20261125);
    zipf popular(popular_keys);
    std::uint64_t one_time_key = 1'000'000;
    int hits = 0, lookups = 0;
    constexpr int warm_after = 20 * popular_keys;
    for (int i = 0; i < 2 * warm_after; ++i) {
        bool hit = by.get(popular(random));
        for (unsigned each = 0; each < one_time_keys; ++each)
            by.get(one_time_key++);
        if (i >= warm_after) {
            hits += hit;
            ++lookups;
        }
    }
    return static_cast<double>(hits) / lookups;
}

} // namespace

BOOST_AUTO_TEST_CASE(a_scan_of_one_time_keys_hardly_lowers_the_hit_ratio)
{
    auto alone = hit_ratio(0), scanned = hit_ratio(1);
    BOOST_TEST(alone > 0.99);
    BOOST_TEST(scanned > 0.95 * alone);
    BOOST_TEST(hit_ratio(5) > 0.9 * alone);
}

BOOST_AUTO_TEST_CASE(a_new_working_set_replaces_the_old_one)
{
    read_through by(1000);
    for (int round = 0; round < 20; ++round)
        for (std::uint64_t key = 0; key < 900; ++key)
            by.get(key);
    int hits = 0;
    for (int round = 0; round < 20; ++round)
        for (std::uint64_t key = 10'000; key < 10'900; ++key)
            hits += by.get(key) && round >= 10;
    BOOST_TEST(hits > 900 * 10 * 9 / 10);
}

BOOST_AUTO_TEST_CASE(a_loop_larger_than_the_cache_is_partly_cached)
{
    read_through by(1000);
    int hits = 0;
    for (int round = 0; round < 50; ++round)
        for (std::uint64_t key = 0; key < 1500; ++key)
            hits += by.get(key);
    BOOST_TEST(hits > 50 * 1500 / 10); // plain FIFO would hit none
    BOOST_TEST(by.cache->size() <= 1000u);
    BOOST_TEST(by.cache->evictions() > 0u);
}

BOOST_AUTO_TEST_CASE(evicting_a_subject_with_many_entries_is_complete)
{
    read_through by(60'000);
    for (std::uint64_t key = 1; key <= 50'000; ++key)
        by.cache->store(make(key, key, 100'000 + key % 100, 200'000));
    for (std::uint64_t key = 1; key <= 1000; ++key)
        by.cache->evict(id_of(key)); // from the middle of a list of 50,000
    BOOST_TEST(by.cache->size() == 49'000u);
    by.cache->evict(id_of(100'050));
    BOOST_TEST(by.cache->size() == 48'510u);
    by.cache->evict(id_of(200'000));
    BOOST_TEST(by.cache->size() == 0u);
}

BOOST_AUTO_TEST_CASE(a_subject_can_be_evicted_in_slices)
{
    read_through by(5000);
    for (std::uint64_t key = 1; key <= 2500; ++key)
        by.cache->store(make(key, key, 0, 200'000));
    std::size_t at_most = 1000;
    BOOST_TEST(!by.cache->evict(id_of(200'000), at_most));
    BOOST_TEST(at_most == 0u);
    BOOST_TEST(by.cache->size() == 1500u);
    at_most = 1500;
    BOOST_TEST(by.cache->evict(id_of(200'000), at_most));
    BOOST_TEST(by.cache->size() == 0u);
}

BOOST_AUTO_TEST_CASE(a_cleared_cache_is_empty_at_once_and_freed_in_slices)
{
    read_through by(2000);
    for (std::uint64_t key = 1; key <= 2000; ++key)
        by.get(key);
    auto first = make(1, 1);
    by.cache->clear();
    BOOST_TEST(by.cache->size() == 0u);
    BOOST_TEST(!by.cache->find(digest_of(2000)));
    by.cache->store(first);
    BOOST_TEST((by.cache->find(digest_of(1)) == first));
    BOOST_TEST(by.cache->size() == 1u);
    std::size_t slices = 1;
    while (by.cache->free_evicted(100))
        ++slices;
    BOOST_TEST(slices == 20u);
    BOOST_TEST(by.cache->size() == 1u);
    by.cache->evict(digest_of(1));
    BOOST_TEST(by.cache->bytes() == 0u);
}

BOOST_AUTO_TEST_CASE(entries_do_not_return_with_their_generation)
{
    read_through by(100);
    by.get(1);
    for (int i = 0; i < 65'536; ++i)
        by.cache->clear();
    BOOST_TEST(!by.cache->find(digest_of(1)));
    BOOST_TEST(by.cache->size() == 0u);
    BOOST_TEST(by.cache->bytes() == 0u);
}

BOOST_AUTO_TEST_CASE(it_agrees_with_a_naive_model)
{
    std::mt19937_64 random(20261124);
    auto below = [&](std::uint64_t n) { return random() % n; };
    db::principal_cache cache(25'000); // some 110 entries, so that some are evicted
    std::map<std::uint64_t, db::principal_ref> model;
    cache.store(make(1, 1));
    const auto bytes_each = cache.bytes();
    cache.evict(digest_of(1));
    std::size_t hits = 0, lost = 0;

    auto drop_if = [&](auto belongs) {
        std::erase_if(model, [&](const auto& each) { return belongs(*each.second); });
    };
    for (int step = 0; step < 200'000; ++step) {
        auto key = below(300);
        switch (below(20)) {
        case 0: {
            auto user = id_of(1000 + below(40));
            cache.evict(user);
            drop_if([&](const db::principal& principal) { return principal.user_id == user; });
            break;
        }
        case 1: {
            auto credential = id_of(2000 + key);
            cache.evict(credential);
            drop_if([&](const db::principal& principal) { return principal.credential_id == credential; });
            break;
        }
        case 2: {
            auto workspace = id_of(3000 + below(20));
            if (below(10) == 0) {
                cache.evict(workspace);
                drop_if([&](const db::principal& principal) { return principal.workspace_id == workspace; });
            }
            break;
        }
        case 3:
            if (below(100) == 0) {
                cache.clear();
                model.clear();
            } else if (below(2) == 0) {
                cache.free_evicted(below(5));
            } else {
                cache.evict(digest_of(key));
                model.erase(key);
            }
            break;
        case 4:
        case 5:
        case 6:
        case 7: {
            auto principal =
                make(key, 2000 + key, below(4) ? 1000 + below(40) : 0, below(4) ? 3000 + below(20) : 0);
            cache.store(principal);
            model[key] = principal;
            break;
        }
        default: {
            auto found = cache.find(digest_of(key));
            auto known = model.find(key);
            if (found) {
                BOOST_REQUIRE(known != model.end());
                BOOST_REQUIRE(found == known->second);
                ++hits;
            } else if (known != model.end()) {
                model.erase(known); // evicted to make room
                ++lost;
            }
        }
        }
        BOOST_REQUIRE(cache.bytes() <= 25'000u);
        BOOST_REQUIRE(cache.size() * bytes_each <= cache.bytes());
    }
    BOOST_TEST(hits > 10'000u);
    BOOST_TEST(lost > 100u);
}

BOOST_AUTO_TEST_CASE(the_negative_cache_keeps_digests_until_evicted_or_overwritten)
{
    db::negative_cache negative(1024); // 32 of them
    negative.store(digest_of(1));
    BOOST_TEST(negative.contains(digest_of(1)));
    BOOST_TEST(!negative.contains(digest_of(2)));
    negative.evict(digest_of(2));
    BOOST_TEST(negative.contains(digest_of(1)));
    negative.evict(digest_of(1));
    BOOST_TEST(!negative.contains(digest_of(1)));

    for (std::uint64_t n = 0; n < 1000; ++n)
        negative.store(digest_of(n));
    std::size_t known = 0;
    for (std::uint64_t n = 0; n < 1000; ++n)
        known += negative.contains(digest_of(n));
    BOOST_TEST(known > 0u);
    BOOST_TEST(known <= 32u);
}

BOOST_AUTO_TEST_SUITE_END()
