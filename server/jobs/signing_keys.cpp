#include "server/jobs/signing_keys.hpp"

#include "db/tables/signing_keys.hpp"

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <vector>

namespace server {

namespace {

/// Twice the time that verifiers may cache the JWKS.
constexpr std::chrono::minutes publish_ahead{20};

std::string_view name_of(crypto::jwt_algorithm algorithm)
{
    return algorithm == crypto::jwt_algorithm::es256 ? "ES256" : "EdDSA";
}

std::string seal_context(std::string_view kid)
{
    return "signing_keys/" + std::string(kid);
}

db::signing_keys::draft make_draft(const crypto::sealer& sealer, crypto::jwt_algorithm algorithm)
{
    auto key = crypto::signing_key::generate(algorithm);
    db::signing_keys::draft out;
    out.kid = key.kid();
    out.algorithm = name_of(algorithm);
    out.public_jwk = key.public_jwk();
    out.sealed_key = sealer.seal(crypto::seal_purpose::signing_key, key.der(), seal_context(out.kid));
    return out;
}

crypto::signing_key open(const crypto::sealer& sealer, const db::signing_keys::row& row)
{
    auto der = sealer.open(crypto::seal_purpose::signing_key, row.sealed_key, seal_context(row.kid));
    if (!der)
        throw std::runtime_error("the signing key " + row.kid +
                                 " cannot be opened: it was sealed with a different LATCHKEY_MASTER_KEY");
    auto algorithm = row.algorithm == "ES256" ? crypto::jwt_algorithm::es256 : crypto::jwt_algorithm::eddsa;
    return crypto::signing_key::from_der(algorithm, *der);
}

db::timestamp now()
{
    return std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
}

std::shared_ptr<const crypto::jwt_keys> make_jwt_keys(const crypto::sealer& sealer,
                                                      crypto::jwt_algorithm algorithm,
                                                      const std::vector<db::signing_keys::row>& rows)
{
    auto current = std::ranges::find_if(rows, [&](const db::signing_keys::row& row) {
        return row.algorithm == name_of(algorithm) && row.signs_from <= now();
    });
    if (current == rows.end())
        throw std::runtime_error("no signing key is active yet");
    std::vector<crypto::signing_key> verifiers;
    for (auto row = rows.begin(); row != rows.end(); ++row)
        if (row != current)
            verifiers.push_back(open(sealer, *row));
    return std::make_shared<const crypto::jwt_keys>(open(sealer, *current), std::move(verifiers));
}

} // namespace

db::awaitable<std::shared_ptr<const crypto::jwt_keys>> load_keys(db::pool& db, const crypto::sealer& sealer,
                                                                 crypto::jwt_algorithm algorithm)
{
    auto rows = co_await db::signing_keys::list(db);
    bool has_key = std::ranges::count(rows, name_of(algorithm), &db::signing_keys::row::algorithm) > 0;
    if (!has_key) {
        auto draft = make_draft(sealer, algorithm);
        rows = co_await db::signing_keys::ensure(db, std::move(draft));
    }
    co_return make_jwt_keys(sealer, algorithm, rows);
}

db::awaitable<std::string> rotate_keys(db::pool& db, const crypto::sealer& sealer, const config& settings)
{
    auto draft = make_draft(sealer, settings.handlers.jwt_algorithm);
    auto kid = draft.kid;
    db::timestamp from = now() + publish_ahead;
    db::timestamp until = from + settings.handlers.access_token_ttl + std::chrono::minutes(5);
    co_await db::signing_keys::rotate(db, std::move(draft), from, until);
    co_return kid;
}

} // namespace server
