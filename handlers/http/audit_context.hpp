// Audit context: client address, user agent and request id, as recorded in sessions and audit events.
#pragma once

#include "db/tables/audit.hpp"
#include "handlers/http/context.hpp"

#include <string>
#include <string_view>

namespace handlers {

/// The origin of a request, cleaned for storage, and its caller.
class audit_context {
public:
    explicit audit_context(const call& c);

    /// An audit event of this request by its caller, if it has one. The target is left to be set.
    db::audit::entry event(std::string_view action) const;

    const std::string& ip() const { return ip_; }
    const std::string& agent() const { return agent_; }
    std::string_view request_id() const { return request_id_; }

private:
    std::string ip_, agent_, request_id_;
    db::principal_ref caller_;
};

} // namespace handlers
