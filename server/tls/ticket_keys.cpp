#include "server/tls/ticket_keys.hpp"

#include <openssl/crypto.h>

#include <algorithm>

namespace server {

ticket_keys::key::~key()
{
    OPENSSL_cleanse(cipher.data(), cipher.size());
    OPENSSL_cleanse(mac.data(), mac.size());
}

ticket_keys::ticket_keys(const crypto::keyring& master, clock now)
    : secret_(master.derive(crypto::purpose::tls_tickets)), now_(std::move(now))
{}

ticket_keys::~ticket_keys()
{
    OPENSSL_cleanse(secret_.data(), secret_.size());
}

std::int64_t ticket_keys::current_number() const
{
    return std::chrono::floor<std::chrono::seconds>(now_().time_since_epoch()) / period;
}

ticket_keys::key ticket_keys::of(std::int64_t number) const
{
    std::array<std::uint8_t, 8> info;
    for (std::size_t i = 0; i < info.size(); ++i)
        info[i] = static_cast<std::uint8_t>(static_cast<std::uint64_t>(number) >> (56 - 8 * i));
    key out;
    std::array<std::uint8_t, name_size + sizeof out.cipher + sizeof out.mac> bytes;
    crypto::hkdf_sha256(secret_, {}, info, bytes);
    auto from = bytes.begin();
    for (auto part : {std::span<std::uint8_t>(out.name), std::span<std::uint8_t>(out.cipher),
                      std::span<std::uint8_t>(out.mac)}) {
        std::copy_n(from, part.size(), part.begin());
        from += static_cast<std::ptrdiff_t>(part.size());
    }
    OPENSSL_cleanse(bytes.data(), bytes.size());
    return out;
}

ticket_keys::key ticket_keys::current() const
{
    return of(current_number());
}

std::optional<ticket_keys::key> ticket_keys::find(std::span<const std::uint8_t, name_size> name) const
{
    auto number = current_number();
    for (auto candidate : {number, number - 1})
        if (auto out = of(candidate); std::ranges::equal(out.name, name))
            return out;
    return std::nullopt;
}

} // namespace server
