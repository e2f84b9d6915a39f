#include "server/shared_state.hpp"

#include "handlers/openapi/document.hpp"
#include "handlers/routes.hpp"

#include <boost/json/serialize.hpp>

namespace server {

namespace {

crypto::hash_pool::config hash_pool_settings(const config& settings)
{
    return {.threads = settings.threads,
            .queue_limit = settings.hash_queue,
            .costs = settings.handlers.password_costs,
            .engine = settings.argon2};
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

shared_state::shared_state(const config& settings)
    : settings(settings), permissions(settings.handlers.extra_resources),
      connections({settings.max_connections, settings.max_connections_per_network}, settings.trusted_proxies),
      hash_pool(std::make_unique<crypto::hash_pool>(hash_pool_settings(settings))), sealer(settings.keys),
      metrics(handlers::all_routes(), settings.threads, lease, hash_pool.get(), &limiter),
      routes(handlers::all_routes(), settings.admin_listen ? &is_on_site : nullptr),
      admin_routes(handlers::all_routes(), &is_for_operations),
      openapi(boost::json::serialize(
          handlers::describe_api(handlers::all_routes(), settings.handlers.public_url, LATCHKEY_VERSION)))
{}

} // namespace server
