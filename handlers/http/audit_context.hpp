// Where a request came from, as sessions and the audit trail keep it.
#pragma once

#include "db/tables/audit.hpp"
#include "handlers/http/context.hpp"

#include <string>
#include <string_view>

namespace handlers {

/** The client's address and agent, fit to be stored. */
class trace {
public:
    explicit trace(const call& c);

    /** An audit event of this request by its caller, if it has one. The target is set by whoever knows it. */
    db::audit::entry event(std::string_view action) const;

    const std::string& ip() const { return ip_; }
    const std::string& agent() const { return agent_; }
    std::string_view request_id() const { return request_id_; }

private:
    std::string ip_, agent_, request_id_;
    db::principal_ref who_;
};

} // namespace handlers
