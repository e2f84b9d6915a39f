#include "handlers/authn/device.hpp"

#include "crypto/hash.hpp"
#include "handlers/access/client_address.hpp"

namespace handlers {

db::known_devices::device device_of(const call& c, const audit_context& origin)
{
    auto stable = origin.agent();
    std::erase_if(stable, [](char ch) { return (ch >= '0' && ch <= '9') || ch == '.' || ch == '_'; });
    return {crypto::sha256(stable), network_of(c.req.client)};
}

} // namespace handlers
