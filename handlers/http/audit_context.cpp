#include "handlers/http/audit_context.hpp"

#include "crypto/random.hpp"
#include "schemas/engine/utf8.hpp"

namespace handlers {

namespace {

constexpr std::size_t longest_agent = 256;

} // namespace

trace::trace(const call& c)
    : ip_(c.req.client.to_string()),
      agent_(schemas::clean_text(c.req.header(http::field::user_agent), longest_agent)),
      request_id_(c.req.id), who_(c.who)
{}

db::audit::entry trace::event(std::string_view action) const
{
    db::audit::entry out;
    out.id = crypto::make_uuid_v7();
    out.action = action;
    out.ip = ip_;
    out.user_agent = agent_;
    out.request_id = request_id_;
    if (who_) {
        out.workspace_id = who_->workspace_id;
        out.actor_id = who_->user_id;
        out.credential_id = who_->credential_id;
    }
    return out;
}

} // namespace handlers
