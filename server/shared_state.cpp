#include "server/shared_state.hpp"

#include "handlers/openapi/document.hpp"
#include "handlers/pages/brand.hpp"
#include "handlers/routes.hpp"

#include <boost/json/serialize.hpp>

#include <cstring>

namespace server {

namespace {

crypto::hash_pool::config hash_pool_settings(const config& settings)
{
    return {.threads = settings.threads,
            .queue_limit = settings.hash_queue,
            .costs = settings.handlers.password_costs,
            .engine = settings.argon2};
}

/// Of the hashes by which all nodes count.
std::uint64_t rate_limit_seed(const config& settings)
{
    auto key = settings.keys.derive(crypto::purpose::rate_limit);
    std::uint64_t out;
    std::memcpy(&out, key.data(), sizeof out);
    return out;
}

bool is_on_site(const handlers::route& line)
{
    return line.listeners != handlers::served_on::operations;
}

bool is_for_operations(const handlers::route& line)
{
    return line.listeners != handlers::served_on::site;
}

} // namespace

shared_state::shared_state(const config& settings, std::shared_ptr<const tls_context> first)
    : settings(settings), tls(std::move(first)), permissions(settings.handlers.extra_resources),
      limiter(rate_limit_seed(settings)),
      connections({settings.max_connections, settings.max_connections_per_network}, settings.trusted_proxies),
      hash_pool(std::make_unique<crypto::hash_pool>(hash_pool_settings(settings))), sealer(settings.keys),
      metrics(handlers::all_routes(), settings.threads, lease, hash_pool.get(), &limiter),
      routes(handlers::all_routes(), settings.admin_listen ? &is_on_site : nullptr),
      admin_routes(handlers::all_routes(), &is_for_operations),
      openapi(boost::json::serialize(
          handlers::describe_api(handlers::all_routes(), settings.handlers.public_url, LATCHKEY_VERSION))),
      files(settings.handlers.public_url, handlers::embedded_files(),
            handlers::pages::brand_files(settings.handlers.brand))
{}

} // namespace server
