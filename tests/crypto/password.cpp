#include "crypto/password.hpp"

#include "crypto/encoding.hpp"
#include "tests/support/forge.hpp"

#include <boost/test/unit_test.hpp>

#include <argon2.h>

#include <algorithm>
#include <stdexcept>

using namespace crypto;

namespace {

constexpr password_costs tiny{.memory_kib = 64, .iterations = 1, .lanes = 1};

/// The test vectors of argon2's reference implementation: password "password", salt "somesalt".
constexpr std::string_view reference[] = {
    "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
    "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
    "$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc",
};

std::string reference_hash(std::string_view password, const password_costs& costs, std::size_t hash_size)
{
    std::string out(512, '\0');
    auto status =
        argon2id_hash_encoded(costs.iterations, costs.memory_kib, costs.lanes, password.data(),
                              password.size(), "another salt", 12, hash_size, out.data(), out.size());
    BOOST_REQUIRE(status == ARGON2_OK);
    out.resize(out.find('\0'));
    return out;
}

std::string replaced(std::string_view text, std::string_view from, std::string_view to)
{
    std::string out(text);
    auto at = out.find(from);
    BOOST_REQUIRE(at != std::string::npos);
    return out.replace(at, from.size(), to);
}

} // namespace

BOOST_AUTO_TEST_SUITE(password)

BOOST_AUTO_TEST_CASE(the_vectors_of_the_reference_implementation_verify)
{
    hash_arena arena;
    for (auto phc : reference) {
        BOOST_TEST(verify_password(arena, "password", phc), phc);
        BOOST_TEST(!verify_password(arena, "Password", phc), phc);
    }
}

BOOST_AUTO_TEST_CASE(hashes_of_other_sizes_verify)
{
    hash_arena arena;
    for (std::size_t hash_size : {16u, 24u, 32u, 64u})
        for (std::uint32_t lanes : {1u, 2u, 4u}) {
            auto phc = reference_hash("pässword", {128, 3, lanes}, hash_size);
            BOOST_TEST(verify_password(arena, "pässword", phc), phc);
            BOOST_TEST(!verify_password(arena, "password", phc), phc);
        }
}

BOOST_AUTO_TEST_CASE(the_reference_implementation_verifies_our_hashes)
{
    hash_arena arena;
    auto phc = hash_password(arena, "correct horse", {96, 2, 3});
    BOOST_TEST(argon2id_verify(phc.c_str(), "correct horse", 13) == ARGON2_OK);
    BOOST_TEST(argon2id_verify(phc.c_str(), "correct-horse", 13) == ARGON2_VERIFY_MISMATCH);
}

BOOST_AUTO_TEST_CASE(both_engines_agree)
{
    hash_arena arena;
    constexpr argon2_engine engines[] = {argon2_engine::built_in, argon2_engine::libargon2};
    for (auto maker : engines) {
        auto phc = hash_password(arena, "correct horse", {96, 2, 3}, maker);
        for (auto verifier : engines) {
            BOOST_TEST(verify_password(arena, "correct horse", phc, max_stored_memory_kib, verifier));
            BOOST_TEST(!verify_password(arena, "correct-horse", phc, max_stored_memory_kib, verifier));
        }
    }
}

BOOST_AUTO_TEST_CASE(a_hash_verifies_only_its_password)
{
    hash_arena arena;
    const std::string passwords[] = {"",
                                     "a",
                                     "A",
                                     std::string("a\0", 2),
                                     std::string("a\0b", 3),
                                     "a ",
                                     std::string(max_password_size, 'x')};
    for (auto& password : passwords) {
        auto phc = hash_password(arena, password, tiny);
        for (auto& other : passwords)
            BOOST_TEST(verify_password(arena, other, phc) == (other == password));
    }
}

BOOST_AUTO_TEST_CASE(two_hashes_of_one_password_differ)
{
    hash_arena arena;
    BOOST_TEST(hash_password(arena, "same", tiny) != hash_password(arena, "same", tiny));
}

BOOST_AUTO_TEST_CASE(a_too_long_password_is_not_hashed)
{
    hash_arena arena;
    std::string too_long(max_password_size + 1, 'x');
    BOOST_CHECK_THROW(hash_password(arena, too_long, tiny), std::length_error);
    // The hash would match if it were computed.
    BOOST_TEST(!verify_password(arena, too_long, reference_hash(too_long, tiny, 32)));
}

BOOST_AUTO_TEST_CASE(a_malformed_hash_never_verifies)
{
    hash_arena arena;
    std::string good(reference[1]);
    BOOST_REQUIRE(verify_password(arena, "password", good));
    const std::string bad[] = {
        "",
        "password",
        "$",
        "$argon2id$",
        "$argon2id$v=19$",
        "$argon2id$v=19$m=256,t=2,p=1",
        "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ",
        "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$",
        "$argon2id$v=19$m=256,t=2,p=1$$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
        "$argon2id$v=19$m=256,t=2,p=1$c29tZQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
        "$2b$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW",
        good + "=",
        good + "$",
        good + "\n",
        " " + good,
        good.substr(1),
        good.substr(0, good.size() - 1),
        replaced(good, "argon2id", "argon2i"),
        replaced(good, "argon2id", "argon2d"),
        replaced(good, "argon2id", "Argon2id"),
        replaced(good, "v=19", "v=16"),
        replaced(good, "$v=19", ""),
        replaced(good, "m=256", "m=0256"),
        replaced(good, "m=256", "m=+256"),
        replaced(good, "m=256", "m= 256"),
        replaced(good, "m=256", "m=0x100"),
        replaced(good, "m=256", "m=-1"),
        replaced(good, "m=256", "m="),
        replaced(good, "m=256", "m=7"),
        replaced(good, "m=256", "m=4294967552"),
        replaced(good, "m=256", "m=1048576"),
        replaced(good, "t=2", "t=0"),
        replaced(good, "t=2", "t=4294967295"),
        replaced(good, "p=1", "p=0"),
        replaced(good, "p=1", "p=33"),
        replaced(good, "p=1", "p=65"),
        replaced(good, "p=1", "p=1,keyid=a"),
        replaced(good, "m=256,t=2,p=1", "t=2,m=256,p=1"),
        replaced(good, "m=256,t=2,p=1", "m=256,t=2"),
        replaced(good, "c29tZXNhbHQ", "c29tZXNhbHR"),
        replaced(good, "nf65", "_f65"),
    };
    for (auto& phc : bad) {
        BOOST_TEST(!verify_password(arena, "password", phc), phc);
        BOOST_TEST((needs_rehash(phc, {256, 2, 1}) || phc.find("m=1048576") != std::string::npos), phc);
    }
}

BOOST_AUTO_TEST_CASE(every_changed_character_of_salt_and_hash_matters)
{
    hash_arena arena;
    auto good = hash_password(arena, "password", tiny);
    for (auto i = good.rfind("p=1$") + 4; i < good.size(); ++i) {
        auto changed = support::forge(good, i);
        BOOST_TEST(!verify_password(arena, "password", changed), changed);
    }
}

BOOST_AUTO_TEST_CASE(a_stored_hash_cannot_exceed_the_memory_limit)
{
    hash_arena arena;
    BOOST_TEST(verify_password(arena, "password", reference[1], 256));
    BOOST_TEST(!verify_password(arena, "password", reference[1], 255));
}

BOOST_AUTO_TEST_CASE(costs_round_trip)
{
    auto costs = password_costs::parse("m=19456,t=2,p=1");
    BOOST_REQUIRE(costs.has_value());
    BOOST_TEST((*costs == password_costs{}));
    BOOST_TEST(costs->to_string() == "m=19456,t=2,p=1");
    for (auto good : {"m=8,t=1,p=1", "m=4194304,t=1,p=4", "m=47104,t=1,p=1", "m=512,t=3,p=64"}) {
        auto read = password_costs::parse(good);
        BOOST_REQUIRE_MESSAGE(read.has_value(), good);
        BOOST_TEST(read->to_string() == good);
    }
    for (auto bad :
         {"", "m=19456", "m=19456,t=2", "m=19456,t=2,p=1,", "m=19456,t=2,p=1 ", "m=19456, t=2, p=1",
          "t=2,m=19456,p=1", "m=7,t=1,p=1", "m=15,t=1,p=2", "m=4194305,t=1,p=1", "m=4194304,t=2,p=1",
          "m=8,t=0,p=1", "m=8,t=524289,p=1", "m=8,t=1,p=0", "m=1024,t=1,p=65", "m=99999999999,t=1,p=1",
          "m=08,t=1,p=1", "m=8.0,t=1,p=1"})
        BOOST_TEST(!password_costs::parse(bad), bad);
}

BOOST_AUTO_TEST_CASE(other_costs_need_a_rehash)
{
    hash_arena arena;
    auto phc = hash_password(arena, "x", tiny);
    BOOST_TEST(!needs_rehash(phc, tiny));
    BOOST_TEST(needs_rehash(phc, {65, 1, 1}));
    BOOST_TEST(needs_rehash(phc, {64, 2, 1}));
    BOOST_TEST(needs_rehash(phc, {64, 1, 2}));
    BOOST_TEST(needs_rehash(reference_hash("x", tiny, 16), tiny));
    BOOST_TEST(needs_rehash("$2b$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW", tiny));
}

BOOST_AUTO_TEST_CASE(the_dummy_hash_costs_the_same_and_never_verifies)
{
    hash_arena arena;
    auto dummy = dummy_hash(tiny);
    BOOST_TEST(!needs_rehash(dummy, tiny)); // it is well-formed, and of these costs
    for (auto password : {"", "password", "dummy"})
        BOOST_TEST(!verify_password(arena, password, dummy));
    auto* memory = arena.reserve(1);
    BOOST_TEST((arena.reserve(64 * 1024) == memory), "nothing was hashed");
}

BOOST_AUTO_TEST_CASE(an_arena_keeps_its_memory_but_no_contents)
{
    for (auto engine : {argon2_engine::built_in, argon2_engine::libargon2}) {
        hash_arena arena;
        auto* memory = arena.reserve(256 * 1024);
        BOOST_REQUIRE(memory);
        hash_password(arena, "secret", {256, 1, 1}, engine);
        hash_password(arena, "secret", {64, 1, 1}, engine);
        BOOST_TEST((arena.reserve(256 * 1024) == memory));
        BOOST_TEST(std::all_of(memory, memory + 256 * 1024, [](auto byte) { return byte == 0; }));
    }
}

BOOST_AUTO_TEST_CASE(an_arena_grows_and_shrinks)
{
    hash_arena arena;
    std::size_t small = 64 * 1024, large = 5 * 1024 * 1024 + 1;
    arena.reserve(small);
    auto* memory = arena.reserve(large);
    BOOST_REQUIRE(memory);
    memory[large - 1] = 1;
    arena.shrink_to(large);
    BOOST_TEST((arena.reserve(small) == memory));
    arena.shrink_to(small);
    BOOST_TEST(verify_password(arena, "password", reference[1]));
    BOOST_TEST(!arena.reserve(std::size_t{1} << 60));
}

BOOST_AUTO_TEST_SUITE_END()
