#include "crypto/password.hpp"

#include "crypto/argon2/argon2.hpp"
#include "crypto/encoding.hpp"
#include "crypto/hash.hpp"
#include "crypto/random.hpp"

#include <argon2.h>
#include <openssl/crypto.h>
#include <sys/mman.h>

#include <array>
#include <charconv>
#include <span>
#include <stdexcept>
#include <vector>

namespace crypto {

namespace {

constexpr std::size_t salt_size = 16;
constexpr std::size_t hash_size = 32;
constexpr std::uint64_t max_work_kib = 4 << 20; // memory times passes
constexpr std::string_view phc_prefix = "$argon2id$v=19$";

std::size_t round_to_pages(std::size_t size)
{
    constexpr std::size_t small_page = 4096, huge_page = std::size_t{2} << 20;
    auto page = size < huge_page ? small_page : huge_page;
    return (size + page - 1) / page * page;
}

/// The arena of the hash running on this thread: libargon2's callbacks have no user argument.
thread_local hash_arena* current_arena = nullptr;

int allocate_from_arena(std::uint8_t** memory, std::size_t size)
{
    *memory = current_arena->reserve(size);
    return *memory ? ARGON2_OK : ARGON2_MEMORY_ALLOCATION_ERROR;
}

/// Nothing to do: the library has wiped the memory, and the arena keeps it.
void return_to_arena(std::uint8_t*, std::size_t) {}

void hash_with_library(hash_arena& arena, const argon2_parameters& in, std::span<std::uint8_t> out)
{
    argon2_context context{}; // its inputs are not modified, although not declared const
    context.out = out.data();
    context.outlen = static_cast<std::uint32_t>(out.size());
    context.pwd = const_cast<std::uint8_t*>(in.password.data());
    context.pwdlen = static_cast<std::uint32_t>(in.password.size());
    context.salt = const_cast<std::uint8_t*>(in.salt.data());
    context.saltlen = static_cast<std::uint32_t>(in.salt.size());
    context.t_cost = in.iterations;
    context.m_cost = in.memory_kib;
    context.lanes = in.lanes;
    context.threads = 1; // lanes sequentially: the same hash, without starting threads
    context.version = ARGON2_VERSION_13;
    context.allocate_cbk = &allocate_from_arena;
    context.free_cbk = &return_to_arena;
    context.flags = ARGON2_DEFAULT_FLAGS;

    current_arena = &arena;
    auto status = argon2id_ctx(&context);
    current_arena = nullptr;
    if (status != ARGON2_OK)
        throw failure(argon2_error_message(status));
}

std::vector<std::uint8_t> hash(hash_arena& arena, std::string_view password,
                               std::span<const std::uint8_t> salt, const password_costs& costs,
                               std::size_t size, argon2_engine engine)
{
    std::vector<std::uint8_t> out(size);
    argon2_parameters in{.password = bytes_of(password),
                         .salt = salt,
                         .memory_kib = costs.memory_kib,
                         .iterations = costs.iterations,
                         .lanes = costs.lanes};
    if (engine == argon2_engine::libargon2) {
        hash_with_library(arena, in, out);
        return out;
    }
    auto* memory = arena.reserve(in.memory_size());
    if (!memory)
        throw failure("no memory for a password hash");
    argon2id(in, out, {memory, in.memory_size()});
    return out;
}

bool read_number(std::string_view& text, std::string_view name, std::uint32_t& out)
{
    if (!text.starts_with(name))
        return false;
    text.remove_prefix(name.size());
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    if (error != std::errc() || (text.size() > 1 && text[0] == '0'))
        return false;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    return true;
}

struct phc_string {
    password_costs costs;
    std::vector<std::uint8_t> salt, hash;
};

std::optional<phc_string> parse_phc(std::string_view text)
{
    if (!text.starts_with(phc_prefix))
        return std::nullopt;
    text.remove_prefix(phc_prefix.size());
    auto first = text.find('$');
    auto second = text.find('$', first == std::string_view::npos ? first : first + 1);
    if (second == std::string_view::npos)
        return std::nullopt;
    auto costs = password_costs::parse(text.substr(0, first));
    auto salt = from_base64_unpadded(text.substr(first + 1, second - first - 1));
    auto hash = from_base64_unpadded(text.substr(second + 1));
    if (!costs || !salt || !hash || salt->size() < 8 || salt->size() > 64 || hash->size() < 16 ||
        hash->size() > 128)
        return std::nullopt;
    return phc_string{*costs, std::move(*salt), std::move(*hash)};
}

std::string to_phc(const password_costs& costs, std::span<const std::uint8_t> salt,
                   std::span<const std::uint8_t> hash)
{
    std::string out(phc_prefix);
    out += costs.to_string();
    out.append("$").append(to_base64_unpadded(salt)).append("$").append(to_base64_unpadded(hash));
    return out;
}

} // namespace

std::optional<password_costs> password_costs::parse(std::string_view text)
{
    password_costs out;
    if (!read_number(text, "m=", out.memory_kib) || !read_number(text, ",t=", out.iterations) ||
        !read_number(text, ",p=", out.lanes) || !text.empty())
        return std::nullopt;
    bool within_bounds = out.lanes >= 1 && out.lanes <= 64 && out.iterations >= 1 &&
                         out.memory_kib >= 8 * out.lanes &&
                         std::uint64_t{out.memory_kib} * out.iterations <= max_work_kib;
    if (!within_bounds)
        return std::nullopt;
    return out;
}

std::string password_costs::to_string() const
{
    return "m=" + std::to_string(memory_kib) + ",t=" + std::to_string(iterations) +
           ",p=" + std::to_string(lanes);
}

hash_arena::~hash_arena()
{
    release();
}

void hash_arena::release()
{
    if (memory_)
        munmap(memory_, size_);
    memory_ = nullptr;
    size_ = 0;
}

void hash_arena::shrink_to(std::size_t size)
{
    if (size_ > round_to_pages(size))
        release();
}

std::uint8_t* hash_arena::reserve(std::size_t size)
{
    if (size <= size_)
        return memory_;
    release();
    auto mapped = round_to_pages(size);
    void* memory = mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return nullptr;
    madvise(memory, mapped, MADV_HUGEPAGE);
    madvise(memory, mapped, MADV_DONTDUMP); // keep it out of core dumps
    memory_ = static_cast<std::uint8_t*>(memory);
    size_ = mapped;
    return memory_;
}

std::string hash_password(hash_arena& arena, std::string_view password, const password_costs& costs,
                          argon2_engine engine)
{
    if (password.size() > max_password_size)
        throw std::length_error("the password is too long");
    auto salt = random_bytes<salt_size>();
    return to_phc(costs, salt, hash(arena, password, salt, costs, hash_size, engine));
}

bool verify_password(hash_arena& arena, std::string_view password, std::string_view phc,
                     std::uint32_t max_memory_kib, argon2_engine engine)
{
    auto stored = parse_phc(phc);
    if (!stored || password.size() > max_password_size || stored->costs.memory_kib > max_memory_kib)
        return false;
    auto computed = hash(arena, password, stored->salt, stored->costs, stored->hash.size(), engine);
    return equal_constant_time(computed, stored->hash);
}

bool needs_rehash(std::string_view phc, const password_costs& costs)
{
    auto stored = parse_phc(phc);
    return !stored || stored->costs != costs || stored->hash.size() != hash_size;
}

std::string dummy_hash(const password_costs& costs)
{
    // No password with an all-zero hash can be found.
    std::array<std::uint8_t, salt_size> salt{};
    std::array<std::uint8_t, hash_size> hash{};
    return to_phc(costs, salt, hash);
}

} // namespace crypto
