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

/// The inputs of a tag, owned.
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

/// Memory with the minimum alignment, and arbitrary content.
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
    memory buffer(parameters.memory_size());
    argon2id(parameters, out, buffer.bytes(), kernel);
    return out;
}

octets tag_of_library(input in)
{
    octets out(in.tag_size);
    argon2_context context{};
    auto assign = [](octets& from, std::uint8_t*& data, std::uint32_t& size) {
        data = from.data();
        size = static_cast<std::uint32_t>(from.size());
    };
    assign(out, context.out, context.outlen);
    assign(in.password, context.pwd, context.pwdlen);
    assign(in.salt, context.salt, context.saltlen);
    assign(in.secret, context.secret, context.secretlen);
    assign(in.associated_data, context.ad, context.adlen);
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
            std::cout << "not supported by this machine, not tested: argon2 kernel " << name_of(kernel)
                      << '\n';
    return out;
}

const std::vector<argon2_kernel>& kernels()
{
    static const auto out = runnable_kernels();
    return out;
}

/// Compare every kernel with libargon2.
void check(const input& in)
{
    auto expected = tag_of_library(in);
    for (auto kernel : kernels())
        BOOST_REQUIRE_MESSAGE(tag_of(in, kernel) == expected, name_of(kernel) << ": " << in);
}

/// Random inputs with a new seed each run; LATCHKEY_TEST_SEED replays one.
class random_inputs {
public:
    random_inputs()
    {
        auto* given = std::getenv("LATCHKEY_TEST_SEED");
        auto seed = given ? static_cast<std::uint32_t>(std::stoul(given)) : std::random_device{}();
        std::cout << "LATCHKEY_TEST_SEED=" << seed << '\n';
        random_.seed(seed);
    }

    std::uint32_t between(std::uint32_t min, std::uint32_t max)
    {
        return std::uniform_int_distribution(min, max)(random_);
    }

    bool once_in(std::uint32_t times) { return between(1, times) == 1; }

    octets bytes(std::uint32_t min, std::uint32_t max)
    {
        octets out(between(min, max));
        std::ranges::generate(out, [this] { return static_cast<std::uint8_t>(between(0, 255)); });
        return out;
    }

    /// Mostly small, so that there can be many.
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

input fixed_input(std::uint32_t memory_kib, std::uint32_t iterations, std::uint32_t lanes)
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

// RFC 9106, section 5.3.
BOOST_AUTO_TEST_CASE(the_rfc_9106_vector_matches)
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

BOOST_AUTO_TEST_CASE(minimal_costs)
{
    for (std::uint32_t lanes = 1; lanes <= 64; ++lanes)
        check(fixed_input(8 * lanes, 1, lanes));
}

BOOST_AUTO_TEST_CASE(memory_not_a_multiple_of_the_lanes_size)
{
    for (std::uint32_t lanes : {1u, 2u, 3u, 5u, 8u})
        for (std::uint32_t more = 0; more <= 4 * lanes; ++more)
            for (std::uint32_t passes : {1u, 2u, 3u})
                check(fixed_input(16 * lanes + more, passes, lanes));
}

// A block of addresses serves 128 blocks, so segments about that long and about twice as long.
BOOST_AUTO_TEST_CASE(segments_about_as_long_as_an_address_block)
{
    for (std::uint32_t segment : {127u, 128u, 129u, 130u, 255u, 256u, 257u})
        for (std::uint32_t lanes : {1u, 2u})
            check(fixed_input(4 * lanes * segment, 2, lanes));
}

BOOST_AUTO_TEST_CASE(realistic_costs)
{
    check(fixed_input(19456, 2, 1));
    check(fixed_input(47104, 1, 1));
    check(fixed_input(65536, 3, 4));
}

BOOST_AUTO_TEST_CASE(tags_of_every_length)
{
    auto in = fixed_input(8, 1, 1);
    for (in.tag_size = 4; in.tag_size <= 200; ++in.tag_size)
        check(in);
    for (auto size : {255, 256, 257, 1023, 1024, 1025}) {
        in.tag_size = static_cast<std::size_t>(size);
        check(in);
    }
}

BOOST_AUTO_TEST_CASE(passwords_and_salts_of_every_length)
{
    auto in = fixed_input(8, 1, 1);
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

BOOST_AUTO_TEST_CASE(passwords_with_unusual_bytes)
{
    auto in = fixed_input(16, 2, 1);
    for (const octets& odd : {octets{0}, octets{0, 0}, octets{0xff}, octets{'a', 0}, octets{'a', 0, 'b'},
                              octets{0xed, 0xa0, 0x80}, octets{0xf0, 0x9f, 0x94, 0x91}, octets(1024, 0xff)}) {
        in.password = odd;
        check(in);
    }
}

BOOST_AUTO_TEST_CASE(ten_thousand_random_inputs)
{
    random_inputs random;
    for (int i = 0; i < 10'000; ++i)
        check(random.any_input());
}

BOOST_AUTO_TEST_CASE(only_the_used_memory_is_written_and_it_is_wiped)
{
    for (auto kernel : kernels())
        for (std::uint32_t lanes : {1u, 3u}) {
            auto in = fixed_input(64 + 5, 2, lanes);
            auto used = in.parameters().memory_size();
            memory buffer(used + 4096);
            octets tag(32);
            argon2id(in.parameters(), tag, buffer.bytes(), kernel);
            BOOST_TEST(is_zero(buffer.bytes().first(used)), name_of(kernel));
            BOOST_TEST(std::ranges::count(buffer.bytes().subspan(used), 0xa5) == 4096, name_of(kernel));
        }
}

BOOST_AUTO_TEST_CASE(the_best_kernel_can_run)
{
    BOOST_TEST(can_run(best_argon2_kernel()));
    BOOST_TEST(can_run(argon2_kernel::portable));
    for (auto kernel : kernels())
        BOOST_TEST((best_argon2_kernel() >= kernel), name_of(kernel));
}

BOOST_AUTO_TEST_CASE(parameters_out_of_bounds_are_rejected)
{
    memory buffer(1 << 20);
    auto bad = [&](const input& in, std::span<std::uint8_t> where) {
        octets tag(in.tag_size);
        BOOST_CHECK_THROW(argon2id(in.parameters(), tag, where), std::invalid_argument);
    };
    bad(fixed_input(7, 1, 1), buffer.bytes());
    bad(fixed_input(15, 1, 2), buffer.bytes());
    bad(fixed_input(8, 0, 1), buffer.bytes());
    bad(fixed_input(8, 1, 0), buffer.bytes());
    bad(fixed_input(0xffffffff, 1, 1 << 24), buffer.bytes());
    bad(fixed_input(64, 1, 1), buffer.bytes().first(64 * 1024 - 1));
    bad(fixed_input(64, 1, 1), buffer.bytes().subspan(32));
    auto in = fixed_input(8, 1, 1);
    in.tag_size = 3;
    bad(in, buffer.bytes());
}

BOOST_AUTO_TEST_CASE(the_fastest_supported_kernel_passes_its_self_test)
{
    auto fastest = crypto::argon2_kernel::portable;
    for (auto kernel : crypto::argon2_kernels)
        if (crypto::can_run(kernel))
            fastest = kernel;
    BOOST_TEST((crypto::best_argon2_kernel() == fastest));
}

BOOST_AUTO_TEST_SUITE_END()
