#include "handlers/authn/session_tokens.hpp"

#include "crypto/encoding.hpp"
#include "crypto/jwt.hpp"
#include "crypto/random.hpp"
#include "handlers/to_schema.hpp"

#include <boost/endian/conversion.hpp>
#include <boost/uuid/uuid_io.hpp>

#include <algorithm>
#include <vector>

namespace handlers {

namespace {

constexpr std::size_t id_size = 16, counter_size = 8, mac_size = 32;

std::vector<std::uint8_t> authenticated_part(const db::uuid& session, std::int64_t counter)
{
    std::vector<std::uint8_t> out(session.begin(), session.end());
    out.resize(id_size + counter_size);
    boost::endian::store_big_s64(out.data() + id_size, counter);
    return out;
}

db::digest mac_of(context& cx, const db::uuid& session, std::int64_t counter,
                  std::span<const std::uint8_t> salt)
{
    auto message = authenticated_part(session, counter);
    message.insert(message.end(), salt.begin(), salt.end());
    return cx.refresh_mac(std::span<const std::uint8_t>(message));
}

} // namespace

std::optional<token_workspace>
to_token_workspace(const std::optional<db::memberships::workspace_membership>& opened)
{
    if (!opened)
        return std::nullopt;
    auto& membership = opened->membership;
    return token_workspace{opened->workspace.id, membership.membership_id, membership.role};
}

access_token make_access_token(const context& cx, const token_subject& subject)
{
    auto now = std::chrono::floor<std::chrono::seconds>(cx.now()).time_since_epoch().count();
    crypto::claims claims;
    claims.issuer = claims.audience = cx.config.public_url;
    claims.subject = to_string(subject.user);
    claims.token_id = to_string(crypto::make_uuid_v7());
    claims.session_id = to_string(subject.session);
    if (auto& workspace = subject.workspace) {
        claims.workspace_id = to_string(workspace->id);
        claims.membership_id = to_string(workspace->membership_id);
        claims.role = schemas::to_text(to_wire(workspace->role));
    }
    auto session_end = std::chrono::floor<std::chrono::seconds>(subject.session_expires).time_since_epoch();
    claims.issued_at = now;
    claims.expires_at = std::min<std::int64_t>(now + cx.config.access_token_ttl.count(), session_end.count());
    return {cx.jwt->sign(claims), std::max<std::int64_t>(claims.expires_at - now, 0)};
}

std::string make_refresh_token(context& cx, const token_subject& subject)
{
    auto token = authenticated_part(subject.session, subject.counter);
    auto mac = mac_of(cx, subject.session, subject.counter, subject.salt);
    token.insert(token.end(), mac.begin(), mac.end());
    return crypto::to_base64url(token);
}

std::optional<refresh_token> parse_refresh_token(std::string_view text)
{
    auto bytes = crypto::from_base64url(text);
    if (!bytes || bytes->size() != id_size + counter_size + mac_size)
        return std::nullopt;
    refresh_token out;
    auto begin = bytes->begin();
    std::copy_n(begin, id_size, out.session.begin());
    out.counter = boost::endian::load_big_s64(bytes->data() + id_size);
    std::copy_n(begin + id_size + counter_size, mac_size, out.mac.begin());
    return out;
}

bool is_authentic(context& cx, const refresh_token& token, std::span<const std::uint8_t> salt)
{
    return crypto::equal_constant_time(token.mac, mac_of(cx, token.session, token.counter, salt));
}

} // namespace handlers
