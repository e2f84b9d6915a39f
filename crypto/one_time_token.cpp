#include "crypto/one_time_token.hpp"

#include "crypto/encoding.hpp"
#include "crypto/random.hpp"

namespace crypto {

namespace {

constexpr std::size_t token_size = 32;

} // namespace

one_time_token make_one_time_token()
{
    one_time_token out;
    out.text = to_base64url(random_bytes<token_size>());
    out.digest = sha256(out.text);
    return out;
}

std::optional<digest> one_time_token_digest(std::string_view text)
{
    auto bytes = from_base64url(text);
    if (!bytes || bytes->size() != token_size)
        return std::nullopt;
    return sha256(text);
}

} // namespace crypto
