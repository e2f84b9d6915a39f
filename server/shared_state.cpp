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

} // namespace

shared_state::shared_state(const config& settings)
    : settings(settings), permissions(settings.handlers.extra_resources),
      hash_pool(std::make_unique<crypto::hash_pool>(hash_pool_settings(settings))),
      sealer(settings.keys.derive(crypto::purpose::seal)),
      metrics(handlers::all_routes(), settings.threads, lease, hash_pool.get()),
      routes(handlers::all_routes()),
      openapi(boost::json::serialize(
          handlers::describe_api(handlers::all_routes(), settings.handlers.public_url, LATCHKEY_VERSION)))
{}

} // namespace server
