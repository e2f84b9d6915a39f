// Device: how a client is recognized at a later sign-in.
#pragma once

#include "db/tables/known_devices.hpp"
#include "handlers/http/audit_context.hpp"
#include "handlers/http/context.hpp"

namespace handlers {

/// The device of a request: its user agent without version numbers, which survives updates, and its network.
db::known_devices::device device_of(const call& c, const audit_context& origin);

} // namespace handlers
