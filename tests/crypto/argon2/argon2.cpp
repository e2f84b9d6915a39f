#include "crypto/argon2/argon2.hpp"

#include "tests/crypto/hex.hpp"

#include <boost/test/unit_test.hpp>

#include <argon2.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <new>
#include <random>
#include <stdexcept>
#include <vector>

using namespace crypto;

namespace {

using octets = std::vector<std::uint8_t>;

/** What a tag is made of, all of it owned. */
struct input {
    octets password, salt, secret, associated_data;
    std::uint32_t memory_kib = 8, iterations = 1, lanes = 1;
    std::size_t tag_size = 32;

    argon2_parameters parameters() const
    {
        return {password, salt, memory_kib, iterations, lanes, secret, associated_data};
    }
};

std::ostream& operator<<(std::ostream& out, const input& in)
{
    return out << "m=" << in.memory_kib << ",t=" << in.iterations << ",p=" << in.lanes << ", tag of "
               << in.tag_size << ", password " << hex(in.password) << ", salt " << hex(in.salt) << ", secret "
               << hex(in.secret) << ", associated data " << hex(in.associated_data);
}

/** Memory of an alignment that no kernel could do with less of, and of any content. */
class memory {
public:
    explicit memory(std::size_t size)
        : size_(size), begin_(static_cast<std::uint8_t*>(::operator new(size, line)))
    {
        std::fill_n(begin_, size, std::uint8_t{0xa5});
    }
    ~memory() { ::operator delete(begin_, line); }
    memory(const memory&) = delete;

    std::span<std::uint8_t> bytes() const { return {begin_, size_}; }

private:
    static constexpr std::align_val_t line{64};
    std::size_t size_;
    std::uint8_t* begin_;
};

octets tag_of(const input& in, argon2_kernel kernel)
{
    octets out(in.tag_size);
    auto parameters = in.parameters();
    memory room(parameters.memory_size());
    argon2id(parameters, out, room.bytes(), kernel);
    return out;
}

octets tag_by_library(input in)
{
    octets out(in.tag_size);
    argon2_context context{};
    auto give = [](octets& from, std::uint8_t*& data, std::uint32_t& size) {
        data = from.data();
        size = static_cast<std::uint32_t>(from.size());
    };
    give(out, context.out, context.outlen);
    give(in.password, context.pwd, context.pwdlen);
    give(in.salt, context.salt, context.saltlen);
    give(in.secret, context.secret, context.secretlen);
    give(in.associated_data, context.ad, context.adlen);
    context.t_cost = in.iterations;
    context.m_cost = in.memory_kib;
    context.lanes = in.lanes;
    context.threads = 1;
    context.version = ARGON2_VERSION_13;
    auto status = argon2id_ctx(&context);
    BOOST_REQUIRE_MESSAGE(status == ARGON2_OK, argon2_error_message(status) << ": " << in);
    return out;
}

std::vector<argon2_kernel> runnable_kernels()
{
    std::vector<argon2_kernel> out;
    for (auto kernel : argon2_kernels)
        if (can_run(kernel))
            out.push_back(kernel);
        else
            std::cout << "not tested, since this machine cannot run it: argon2 for " << name_of(kernel)
                      << '\n';
    return out;
}

const std::vector<argon2_kernel>& kernels()
{
    static const auto out = runnable_kernels();
    return out;
}

/** Every kernel, held against the library. */
void check(const input& in)
{
    auto expected = tag_by_library(in);
    for (auto kernel : kernels())
        BOOST_REQUIRE_MESSAGE(tag_of(in, kernel) == expected, name_of(kernel) << ": " << in);
}

/** Inputs by chance, another set each time; LATCHKEY_TEST_SEED brings one back. */
class dice {
public:
    dice()
    {
        auto* given = std::getenv("LATCHKEY_TEST_SEED");
        auto seed = given ? static_cast<std::uint32_t>(std::stoul(given)) : std::random_device{}();
        std::cout << "LATCHKEY_TEST_SEED=" << seed << '\n';
        random_.seed(seed);
    }

    std::uint32_t between(std::uint32_t least, std::uint32_t most)
    {
        return std::uniform_int_distribution(least, most)(random_);
    }

    bool once_in(std::uint32_t times) { return between(1, times) == 1; }

    octets bytes(std::uint32_t least, std::uint32_t most)
    {
        octets out(between(least, most));
        std::ranges::generate(out, [this] { return static_cast<std::uint8_t>(between(0, 255)); });
        return out;
    }

    /** Small for the most part, so that there can be many. */
    input any_input()
    {
        input out;
        out.password = bytes(0, once_in(20) ? 1024 : 40);
        out.salt = bytes(8, once_in(10) ? 64 : 16);
        out.secret = bytes(0, once_in(4) ? 64 : 0);
        out.associated_data = bytes(0, once_in(4) ? 300 : 0);
        out.lanes = once_in(200) ? between(9, 64) : once_in(3) ? between(2, 8) : 1;
        out.memory_kib = 8 * out.lanes + between(0, once_in(100) ? 4000 : once_in(5) ? 500 : 40);
        out.iterations = between(1, once_in(10) ? 6 : 3);
        out.tag_size = between(4, once_in(10) ? 1024 : 72);
        return out;
    }

private:
    std::mt19937 random_;
};

input plain(std::uint32_t memory_kib, std::uint32_t iterations, std::uint32_t lanes)
{
    input out;
    out.password = {'p', 'a', 's', 's', 'w', 'o', 'r', 'd'};
    out.salt = {'s', 'o', 'm', 'e', 's', 'a', 'l', 't'};
    out.memory_kib = memory_kib;
    out.iterations = iterations;
    out.lanes = lanes;
    return out;
}

bool is_zero(std::span<const std::uint8_t> bytes)
{
    return std::ranges::all_of(bytes, [](auto byte) { return byte == 0; });
}

} // namespace

BOOST_AUTO_TEST_SUITE(argon2)

// RFC 9106, 5.3.
BOOST_AUTO_TEST_CASE(the_vector_of_the_rfc)
{
    input in;
    in.password.assign(32, 1);
    in.salt.assign(16, 2);
    in.secret.assign(8, 3);
    in.associated_data.assign(12, 4);
    in.memory_kib = 32;
    in.iterations = 3;
    in.lanes = 4;
    for (auto kernel : kernels())
        BOOST_TEST(hex(tag_of(in, kernel)) ==
                       "0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659",
                   name_of(kernel));
}

BOOST_AUTO_TEST_CASE(the_least_of_all_costs)
{
    for (std::uint32_t lanes = 1; lanes <= 64; ++lanes)
        check(plain(8 * lanes, 1, lanes));
}

BOOST_AUTO_TEST_CASE(memory_that_is_no_multiple_of_what_the_lanes_share)
{
    for (std::uint32_t lanes : {1u, 2u, 3u, 5u, 8u})
        for (std::uint32_t more = 0; more <= 4 * lanes; ++more)
            for (std::uint32_t passes : {1u, 2u, 3u})
                check(plain(16 * lanes + more, passes, lanes));
}

// A block of addresses serves 128 blocks, so segments about that long and about twice as long.
BOOST_AUTO_TEST_CASE(segments_about_as_long_as_a_block_of_addresses)
{
    for (std::uint32_t segment : {127u, 128u, 129u, 130u, 255u, 256u, 257u})
        for (std::uint32_t lanes : {1u, 2u})
            check(plain(4 * lanes * segment, 2, lanes));
}

BOOST_AUTO_TEST_CASE(costs_of_real_servers)
{
    check(plain(19456, 2, 1));
    check(plain(47104, 1, 1));
    check(plain(65536, 3, 4));
}

BOOST_AUTO_TEST_CASE(tags_of_every_length)
{
    auto in = plain(8, 1, 1);
    for (in.tag_size = 4; in.tag_size <= 200; ++in.tag_size)
        check(in);
    for (auto size : {255, 256, 257, 1023, 1024, 1025}) {
        in.tag_size = static_cast<std::size_t>(size);
        check(in);
    }
}

BOOST_AUTO_TEST_CASE(passwords_and_salts_of_every_length)
{
    auto in = plain(8, 1, 1);
    for (std::size_t size = 0; size <= 300; ++size) {
        in.password.assign(size, static_cast<std::uint8_t>(size));
        check(in);
    }
    in.password.assign(1024, 'x');
    check(in);
    for (std::size_t size = 8; size <= 64; ++size) {
        in.salt.assign(size, 0);
        check(in);
    }
}

BOOST_AUTO_TEST_CASE(passwords_of_odd_bytes)
{
    auto in = plain(16, 2, 1);
    for (const octets& odd : {octets{0}, octets{0, 0}, octets{0xff}, octets{'a', 0}, octets{'a', 0, 'b'},
                              octets{0xed, 0xa0, 0x80}, octets{0xf0, 0x9f, 0x94, 0x91}, octets(1024, 0xff)}) {
        in.password = odd;
        check(in);
    }
}

BOOST_AUTO_TEST_CASE(ten_thousand_inputs_by_chance)
{
    dice throws;
    for (int i = 0; i < 10'000; ++i)
        check(throws.any_input());
}

BOOST_AUTO_TEST_CASE(the_memory_is_wiped_and_nothing_beside_it_touched)
{
    for (auto kernel : kernels())
        for (std::uint32_t lanes : {1u, 3u}) {
            auto in = plain(64 + 5, 2, lanes);
            auto used = in.parameters().memory_size();
            memory room(used + 4096);
            octets tag(32);
            argon2id(in.parameters(), tag, room.bytes(), kernel);
            BOOST_TEST(is_zero(room.bytes().first(used)), name_of(kernel));
            BOOST_TEST(std::ranges::count(room.bytes().subspan(used), 0xa5) == 4096, name_of(kernel));
        }
}

BOOST_AUTO_TEST_CASE(the_best_kernel_is_one_that_runs)
{
    BOOST_TEST(can_run(best_argon2_kernel()));
    BOOST_TEST(can_run(argon2_kernel::portable));
    for (auto kernel : kernels())
        BOOST_TEST((best_argon2_kernel() >= kernel), name_of(kernel));
}

BOOST_AUTO_TEST_CASE(what_is_out_of_bounds_is_refused)
{
    memory room(1 << 20);
    auto bad = [&](const input& in, std::span<std::uint8_t> where) {
        octets tag(in.tag_size);
        BOOST_CHECK_THROW(argon2id(in.parameters(), tag, where), std::invalid_argument);
    };
    bad(plain(7, 1, 1), room.bytes());
    bad(plain(15, 1, 2), room.bytes());
    bad(plain(8, 0, 1), room.bytes());
    bad(plain(8, 1, 0), room.bytes());
    bad(plain(0xffffffff, 1, 1 << 24), room.bytes());
    bad(plain(64, 1, 1), room.bytes().first(64 * 1024 - 1));
    bad(plain(64, 1, 1), room.bytes().subspan(32));
    auto in = plain(8, 1, 1);
    in.tag_size = 3;
    bad(in, room.bytes());
}

BOOST_AUTO_TEST_CASE(the_fastest_that_can_run_passes_its_own_trial)
{
    auto fastest = crypto::argon2_kernel::portable;
    for (auto kernel : crypto::argon2_kernels)
        if (crypto::can_run(kernel))
            fastest = kernel;
    BOOST_TEST((crypto::best_argon2_kernel() == fastest));
}

BOOST_AUTO_TEST_SUITE_END()
