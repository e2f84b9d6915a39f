#include "handlers/authn/login_attempt.hpp"

#include "crypto/encoding.hpp"
#include "handlers/access/client_address.hpp"
#include "handlers/access/rate_limits.hpp"
#include "handlers/http/guards.hpp"
#include "handlers/http/refusals.hpp"
#include "handlers/http/request_limits.hpp"

namespace handlers {

login_attempt::login_attempt(call& c, const std::string& email)
    : c_(c), address_(address_bucket(c.req.client)), email_(crypto::bytes_of(email))
{}

login_attempt::~login_attempt()
{
    rate_limiter::refund(by_address_);
    rate_limiter::refund(by_account_);
}

void login_attempt::record_failure(const std::optional<db::uuid>& account)
{
    by_address_ = by_account_ = {};
    if (account)
        record_failed_login(c_, *account);
}

std::optional<problem> login_attempt::count()
{
    auto over = count_request(c_, rate_limits::login_address, address_, &by_address_);
    if (!over)
        over = count_request(c_, rate_limits::login_account, email_, &by_account_);
    return over;
}

} // namespace handlers
