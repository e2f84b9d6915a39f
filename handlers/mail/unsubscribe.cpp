#include "handlers/mail/unsubscribe.hpp"

#include "schemas/engine/rule.hpp"
#include "schemas/notifications.hpp"

#include <boost/uuid/uuid_io.hpp>

namespace handlers {

namespace {

constexpr std::string_view signing_context = "unsubscribe";

} // namespace

bool can_unsubscribe(std::string_view kind)
{
    bool found = false;
    boost::mp11::mp_for_each<schemas::members_of<schemas::notifications>>([&]<class D>(D) {
        if constexpr (std::is_same_v<schemas::member_type<schemas::notifications, D>, schemas::channels>)
            found = found || kind == D::name;
    });
    return found;
}

unsubscribe_links make_unsubscribe_links(crypto::token_signer& signer, std::string_view public_url,
                                         const db::uuid& user, std::string_view kind)
{
    auto token = signer.sign(to_string(user) + " " + std::string(kind), signing_context);
    auto page = std::string(public_url) + "/unsubscribe";
    return {page + "?token=" + token, page + "#token=" + token};
}

std::optional<unsubscription> verify_unsubscription(crypto::token_signer& signer, std::string_view token)
{
    auto payload = signer.verify(token, signing_context);
    auto space = payload ? payload->find(' ') : std::string::npos;
    auto user = space == std::string::npos ? std::nullopt : schemas::parse_uuid(payload->substr(0, space));
    if (!user)
        return std::nullopt;
    return unsubscription{*user, payload->substr(space + 1)};
}

} // namespace handlers
