#include "handlers/authn/provider_login.hpp"

#include "crypto/encoding.hpp"
#include "crypto/hash.hpp"
#include "crypto/one_time_token.hpp"
#include "crypto/seal.hpp"
#include "db/tables/oauth.hpp"
#include "schemas/engine/schema.hpp"
#include "schemas/engine/types.hpp"

namespace handlers {

namespace {

constexpr std::string_view seal_context = "provider login";
constexpr std::chrono::seconds code_ttl{60};

std::vector<std::uint8_t> seal_login(const context& cx, const provider_login& login,
                                     crypto::seal_purpose purpose)
{
    return cx.sealer.seal(purpose, crypto::bytes_of(schemas::to_json(login)), seal_context);
}

std::optional<provider_login> open_login(const context& cx, std::span<const std::uint8_t> sealed,
                                         crypto::seal_purpose purpose)
{
    auto opened = cx.sealer.open(purpose, sealed, seal_context);
    if (!opened)
        return std::nullopt;
    auto read = schemas::parse_body<provider_login>(crypto::text_of(*opened));
    return std::move(read.value);
}

} // namespace

provider_login to_provider_login(oidc_login login, std::string issuer, std::string code_challenge)
{
    provider_login out;
    out.code_challenge = std::move(code_challenge);
    out.issuer = std::move(issuer);
    out.subject = std::move(login.claims.subject);
    if (login.claims.email_verified)
        out.email = std::move(login.claims.email);
    out.hosted_domain = std::move(login.claims.hosted_domain);
    out.name = std::move(login.claims.name);
    out.tokens = {std::move(login.access_token), std::move(login.refresh_token)};
    return out;
}

provider_identity identity_of(const provider_login& login)
{
    return {login.issuer, login.subject, login.email, login.hosted_domain};
}

std::string challenge_of(std::string_view verifier)
{
    return crypto::to_base64url(crypto::sha256(verifier));
}

awaitable<std::string> store_login(call& c, provider_login login)
{
    auto code = crypto::make_one_time_token();
    co_await db::oauth::insert_code(c.cx.db, code.digest,
                                    seal_login(c.cx, login, crypto::seal_purpose::oauth_code), code_ttl);
    co_return code.text;
}

awaitable<std::optional<provider_login>> take_login(call& c, std::string code, std::string code_verifier)
{
    auto digest = crypto::one_time_token_digest(code);
    if (!digest)
        co_return std::nullopt;
    auto sealed = co_await db::oauth::consume_code(c.cx.db, *digest);
    auto login = sealed ? open_login(c.cx, *sealed, crypto::seal_purpose::oauth_code) : std::nullopt;
    if (!login || !crypto::equal_constant_time(challenge_of(code_verifier), login->code_challenge))
        co_return std::nullopt;
    co_return std::move(login);
}

std::vector<std::uint8_t> seal_pending_login(const context& cx, const provider_login& login)
{
    return seal_login(cx, login, crypto::seal_purpose::pending_signup);
}

std::optional<provider_login> open_pending_login(const context& cx, std::span<const std::uint8_t> sealed)
{
    return open_login(cx, sealed, crypto::seal_purpose::pending_signup);
}

std::optional<std::string> valid_name(const provider_login& login)
{
    schemas::validation_errors errors;
    schemas::path at("name");
    auto read = schemas::name_text<1, 100>::read(login.name, at, errors);
    return read ? std::optional(std::move(read->value)) : std::nullopt;
}

void add_grant(unit_of_work& tx, const context& cx, const db::uuid& user, const provider_login& login)
{
    auto sealed = seal_tokens(cx.sealer, login.tokens);
    auto email = schemas::normalize_email(login.email);
    db::oauth::draft grant;
    grant.provider = provider_id;
    grant.issuer = login.issuer;
    grant.subject = login.subject;
    grant.user_id = user;
    if (!email.empty())
        grant.email = email;
    grant.sealed_tokens = sealed;
    grant.replaces_tokens = login.tokens.refresh_token.has_value();
    db::oauth::add_upsert(tx.batch(), grant);
}

} // namespace handlers
