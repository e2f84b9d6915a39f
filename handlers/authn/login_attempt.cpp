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
    if (refunds_address_)
        c_.cx.limiter.refund(rate_limits::login_address, address_, counted_at_);
    if (refunds_account_)
        c_.cx.limiter.refund(rate_limits::login_account, email_, counted_at_);
}

void login_attempt::record_failure(const std::optional<db::uuid>& account)
{
    refunds_address_ = refunds_account_ = false;
    if (account)
        record_failed_login(c_, *account);
}

std::optional<problem> login_attempt::count()
{
    counted_at_ = rate_limiter::clock::now();
    auto over = count_request(c_, rate_limits::login_address, address_);
    refunds_address_ = !over;
    if (!over) {
        over = count_request(c_, rate_limits::login_account, email_);
        refunds_account_ = !over;
    }
    return over;
}

} // namespace handlers
