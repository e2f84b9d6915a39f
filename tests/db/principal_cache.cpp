#define BOOST_TEST_DYN_LINK
#include "db/principal_cache.hpp"

#include <boost/smart_ptr/make_local_shared.hpp>
#include <boost/test/unit_test.hpp>

#include <map>
#include <random>

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
    auto who = boost::make_local_shared<db::principal>();
    who->digest = digest_of(key);
    who->credential_id = id_of(credential);
    if (user)
        who->user_id = id_of(user);
    if (workspace)
        who->workspace_id = id_of(workspace);
    return who;
}

BOOST_AUTO_TEST_CASE(what_was_stored_is_found_until_evicted)
{
    db::principal_cache cache(1 << 20);
    auto who = make(1, 100, 200, 300);
    cache.store(who);
    BOOST_TEST((cache.find(digest_of(1)) == who));
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

BOOST_AUTO_TEST_CASE(an_entry_that_has_grown_old_is_dropped_when_found)
{
    db::principal_cache cache(1 << 20);
    cache.store(make(1, 100), 5);
    BOOST_TEST(cache.find(digest_of(1), 4));
    BOOST_TEST(!cache.find(digest_of(1), 5));
    BOOST_TEST(cache.size() == 0u);
}

BOOST_AUTO_TEST_CASE(what_is_too_large_is_not_kept)
{
    db::principal_cache cache(64);
    cache.store(make(1, 100));
    BOOST_TEST(cache.size() == 0u);
    BOOST_TEST(cache.bytes() == 0u);
}

BOOST_AUTO_TEST_CASE(a_scan_does_not_drive_out_what_is_used_all_the_time)
{
    db::principal_cache cache(1 << 20);
    for (std::uint64_t hot = 0; hot < 100; ++hot)
        cache.store(make(hot, hot));
    std::size_t lost = 0;
    for (std::uint64_t cold = 1000; cold < 101'000; ++cold) {
        cache.store(make(cold, cold));
        auto hot = cold % 100;
        lost += cache.find(digest_of(hot)) == nullptr;
    }
    BOOST_TEST(cache.bytes() <= 1u << 20);
    BOOST_TEST(lost == 0u);
}

BOOST_AUTO_TEST_CASE(it_agrees_with_a_naive_model)
{
    std::mt19937_64 random(20261124);
    auto below = [&](std::uint64_t n) { return random() % n; };
    db::principal_cache cache(60'000); // some 150 entries: now and then one has to go
    std::map<std::uint64_t, db::principal_ref> model;
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
            drop_if([&](const db::principal& who) { return who.user_id == user; });
            break;
        }
        case 1: {
            auto credential = id_of(2000 + key);
            cache.evict(credential);
            drop_if([&](const db::principal& who) { return who.credential_id == credential; });
            break;
        }
        case 2: {
            auto workspace = id_of(3000 + below(20));
            if (below(10) == 0) {
                cache.evict(workspace);
                drop_if([&](const db::principal& who) { return who.workspace_id == workspace; });
            }
            break;
        }
        case 3:
            cache.evict(digest_of(key));
            model.erase(key);
            break;
        case 4:
        case 5:
        case 6:
        case 7: {
            auto who =
                make(key, 2000 + key, below(4) ? 1000 + below(40) : 0, below(4) ? 3000 + below(20) : 0);
            cache.store(who);
            model[key] = who;
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
                model.erase(known); // made room for another
                ++lost;
            }
        }
        }
        BOOST_REQUIRE(cache.bytes() <= 60'000u);
        BOOST_REQUIRE((cache.size() == 0) == (cache.bytes() == 0));
    }
    BOOST_TEST(hits > 10'000u);
    BOOST_TEST(lost > 100u);
}

BOOST_AUTO_TEST_CASE(the_absent_are_known_until_evicted_or_displaced)
{
    db::absent_digests absent(1024); // 32 of them
    absent.store(digest_of(1));
    BOOST_TEST(absent.contains(digest_of(1)));
    BOOST_TEST(!absent.contains(digest_of(2)));
    absent.evict(digest_of(2));
    BOOST_TEST(absent.contains(digest_of(1)));
    absent.evict(digest_of(1));
    BOOST_TEST(!absent.contains(digest_of(1)));

    for (std::uint64_t n = 0; n < 1000; ++n)
        absent.store(digest_of(n));
    std::size_t known = 0;
    for (std::uint64_t n = 0; n < 1000; ++n)
        known += absent.contains(digest_of(n));
    BOOST_TEST(known > 0u);
    BOOST_TEST(known <= 32u);
}

BOOST_AUTO_TEST_SUITE_END()
