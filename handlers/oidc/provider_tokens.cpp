#include "handlers/oidc/provider_tokens.hpp"

#include "crypto/encoding.hpp"
#include "schemas/engine/schema.hpp"

namespace handlers {

namespace {

constexpr std::string_view seal_context = "oauth_grants";

} // namespace

std::vector<std::uint8_t> seal_tokens(const crypto::sealer& sealer, const provider_tokens& tokens)
{
    return sealer.seal(crypto::seal_purpose::provider_tokens, crypto::bytes_of(schemas::to_json(tokens)),
                       seal_context);
}

std::optional<provider_tokens> open_tokens(const crypto::sealer& sealer, std::span<const std::uint8_t> sealed)
{
    auto opened = sealer.open(crypto::seal_purpose::provider_tokens, sealed, seal_context);
    if (!opened)
        return std::nullopt;
    return schemas::parse_body<provider_tokens>(crypto::text_of(*opened)).value;
}

} // namespace handlers
