#include "handlers/authn/login_attempt.hpp"

#include "crypto/encoding.hpp"
#include "crypto/hash_pool.hpp"
#include "handlers/access/client_address.hpp"
#include "handlers/access/rate_limits.hpp"
#include "handlers/authn/device.hpp"
#include "handlers/authn/password_check.hpp"
#include "handlers/http/refusals.hpp"
#include "handlers/http/request_limits.hpp"

#include <string_view>
#include <utility>

namespace handlers {

namespace {

/// A subject of several parts; addresses contain no NUL.
template <class Bytes>
std::string with_part(std::string subject, const Bytes& part)
{
    subject.push_back('\0');
    subject.append(part.begin(), part.end());
    return subject;
}

} // namespace

login_attempt::login_attempt(call& c, std::string email) : c_(c), email_(std::move(email)) {}

login_attempt::~login_attempt()
{
    refund(by_address_);
    rate_limiter::refund(by_account_);
    rate_limiter::refund(in_total_);
}

awaitable<std::optional<problem>> login_attempt::count_for_session()
{
    auto subject = with_part(email_, c_.caller().credential_id);
    co_return co_await count_request(c_, rate_limits::login_session, crypto::bytes_of(subject), &by_account_);
}

awaitable<std::optional<problem>> login_attempt::count_for_network()
{
    if (auto over = co_await count_client(c_, rate_limits::login_address, &by_address_))
        co_return over;
    auto rule = rate_limits::login_account;
    if (co_await count_request(c_, rate_limits::login_total, crypto::bytes_of(email_), &in_total_))
        rule = rate_limits::login_account_attacked;
    auto subject = with_part(email_, network_of(c_.req.client));
    co_return co_await count_request(c_, rule, crypto::bytes_of(subject), &by_account_);
}

/// @param over the answer to a device that is not known
awaitable<std::optional<problem>> login_attempt::count_for_device(problem over)
{
    auto device = device_of(c_, audit_context(c_));
    bool is_known = co_await db::known_devices::is_known(c_.cx.db, email_, device);
    if (!is_known)
        co_return over;
    auto subject = with_part(with_part(email_, address_bucket(c_.req.client)), device.agent);
    if (co_await count_request(c_, rate_limits::login_device, crypto::bytes_of(subject), &by_account_))
        co_return over;
    refund(std::exchange(by_address_, {}));
    over_ = std::move(over);
    co_return std::nullopt;
}

awaitable<std::optional<problem>> login_attempt::count()
{
    // The neighbours of a session or of a known device do not shut it out: it has a limit of its own instead
    // of those of its address and its network.
    if (c_.principal && c_.caller().kind == db::principal::kind_type::session)
        co_return co_await count_for_session();
    auto over = co_await count_for_network();
    if (over)
        over = co_await count_for_device(std::move(*over));
    if (over)
        co_await floor_.wait();
    co_return over;
}

awaitable<result<bool>> login_attempt::check(schemas::existing_password password,
                                             std::optional<db::uuid> account, std::string hash)
{
    bool matches = false;
    try {
        matches = co_await check_password(c_.cx, std::move(password), account, std::move(hash));
    } catch (const crypto::overloaded&) {
        if (!over_)
            throw;
    }
    if (matches)
        co_return true;
    by_address_ = {};
    by_account_ = in_total_ = {};
    if (account)
        record_failed_login(c_, *account);
    if (over_) {
        co_await floor_.wait();
        co_return std::move(*over_);
    }
    co_return false;
}

} // namespace handlers
