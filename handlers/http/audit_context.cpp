#include "handlers/http/audit_context.hpp"

#include "crypto/random.hpp"
#include "schemas/engine/utf8.hpp"

namespace handlers {

namespace {

constexpr std::size_t max_agent_size = 256;

} // namespace

audit_context::audit_context(const call& c)
    : ip_(c.req.client.to_string()),
      agent_(schemas::sanitize_text(c.req.header(http::field::user_agent), max_agent_size)),
      request_id_(c.req.id), caller_(c.principal)
{}

db::audit::entry audit_context::event(std::string_view action) const
{
    db::audit::entry out;
    out.id = crypto::make_uuid_v7();
    out.action = action;
    out.ip = ip_;
    out.user_agent = agent_;
    out.request_id = request_id_;
    if (caller_) {
        out.workspace_id = caller_->workspace_id;
        out.actor_id = caller_->user_id;
        out.credential_id = caller_->credential_id;
    }
    return out;
}

} // namespace handlers
