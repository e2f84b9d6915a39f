#include "handlers/authn/login_attempt.hpp"

#include "crypto/encoding.hpp"
#include "handlers/access/rate_limits.hpp"
#include "handlers/http/guards.hpp"

namespace handlers {

guess::guess(call& c, const std::string& email)
    : c_(c), address_(address_bucket(c.req.client)), email_(crypto::bytes_of(email))
{}

guess::~guess()
{
    if (counts_address_)
        c_.cx.limiter.forgive(limits::login_address, address_, counted_);
    if (counts_account_)
        c_.cx.limiter.forgive(limits::login_account, email_, counted_);
}

std::optional<problem> guess::count()
{
    counted_ = rate_limiter::clock::now();
    auto over = handlers::count(c_, limits::login_address, address_);
    counts_address_ = !over;
    if (!over) {
        over = handlers::count(c_, limits::login_account, email_);
        counts_account_ = !over;
    }
    return over;
}

} // namespace handlers
