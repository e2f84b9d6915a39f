// Routes and guards: the data types of the route table.
#pragma once

#include "handlers/http/fwd.hpp"
#include "handlers/http/message.hpp"
#include "schemas/engine/openapi.hpp"

#include <cstddef>
#include <string_view>

namespace handlers {

enum class guard_kind {
    /// No credential, and no rate limit.
    unlimited,
    /// No credential.
    anyone,
    /// The session of the browser's cookie, which the handler loads and counts.
    browser_session,
    /// Any valid credential, also of an account with an unverified email address.
    allow_unverified,
    /// Any valid credential; where verification is required, of an account with a verified email address.
    signed_in,
    /// A credential with `guard::permission`.
    permission,
    /// The role admin: a session, or an API key with all scopes.
    company_admin
};

/// The access rule of a route. `dispatch` enforces it before the handler runs.
struct guard {
    guard_kind kind = guard_kind::anyone;
    /// Of guard_kind::permission.
    std::string_view permission = {};
    /// A credential without a workspace is rejected.
    bool needs_workspace = true;
    /// An access token that has expired, or with a membership that has ended, is accepted as well.
    bool accepts_ended_token = false;
    /// A request from another site is rejected (cross-site request forgery).
    bool needs_same_origin = false;

    /// Also admits a user who belongs to no workspace: for calls about the user's own account.
    constexpr guard workspace_optional() const
    {
        auto out = *this;
        out.needs_workspace = false;
        return out;
    }

    /// Also admits a correctly signed access token that no other call accepts any more, as long as its
    /// session lives: for the call that ends the session.
    constexpr guard with_ended_token() const
    {
        auto out = *this;
        out.accepts_ended_token = true;
        return out;
    }

    /// Only for the site's own pages: for calls that read the browser's cookie, or set it. They have no CORS.
    constexpr guard same_origin() const
    {
        auto out = *this;
        out.needs_same_origin = true;
        return out;
    }
};

inline constexpr guard unlimited{guard_kind::unlimited};
inline constexpr guard anyone{};
inline constexpr guard by_cookie{guard_kind::browser_session, {}, false};
inline constexpr guard allow_unverified{guard_kind::allow_unverified, {}, false};
inline constexpr guard current_user{guard_kind::signed_in};
inline constexpr guard require_company_admin{guard_kind::company_admin};
constexpr guard require_permission(std::string_view permission)
{
    return {guard_kind::permission, permission};
}

/// The listeners that serve a route: of the public site, of its operators, or both. Without a listener for
/// operators the public one serves all routes.
enum class served_on { site, operations, both };

/// The source of a handler's input.
enum class input_source { none, json, optional_json, query, form };

/// The identity of a handler independent of its type: compare the addresses.
template <auto F>
inline constexpr char handler_id = 0;

/// One line of the route table. `endpoint.hpp` builds it from a handler.
struct route {
    /// http::verb::unknown: any method.
    http::verb method;
    std::string_view path;
    handlers::guard guard;
    /// The status of success.
    unsigned success;
    const char* handler;

    awaitable<reply> (*run)(call&, unsigned success);
    /// Set for a handler that never suspends.
    reply (*run_sync)(call&) = nullptr;
    /// Writes a rejection by the guard. Null: as a problem.
    reply (*write_refusal)(call&, const problem&) = nullptr;
    std::size_t body_limit = default_body_limit;
    served_on listeners = served_on::site;

    /// For the OpenAPI document; null where there is no schema.
    schemas::describer describe_input = nullptr;
    schemas::describer describe_output = nullptr;
    /// Of with_status, or of documents_error.
    schemas::describer describe_error = nullptr;
    input_source source = input_source::none;
    /// 202 without a body is possible.
    bool may_be_accepted = false;
    /// Needed where one handler serves several routes, each with its own operation.
    std::string_view operation_id = {};
    const handlers::operation* operation = nullptr;

    /// Writes rejections by the guard with F.
    template <auto F>
    constexpr route on_refusal() const
    {
        auto out = *this;
        out.write_refusal = F;
        return out;
    }

    constexpr route with_body_limit(std::size_t bytes) const
    {
        auto out = *this;
        out.body_limit = bytes;
        return out;
    }

    constexpr route on_listeners(served_on which) const
    {
        auto out = *this;
        out.listeners = which;
        return out;
    }

    /// Selects one of several operations that describe the handler.
    constexpr route with_operation(std::string_view id) const
    {
        auto out = *this;
        out.operation_id = id;
        return out;
    }

    /// The schema of a success that the handler writes itself.
    template <class T>
    constexpr route documents() const
    {
        auto out = *this;
        out.describe_output = &schemas::describe<T>;
        return out;
    }

    /// The schema of errors that the handler writes itself.
    template <class T>
    constexpr route documents_error() const
    {
        auto out = *this;
        out.describe_error = &schemas::describe<T>;
        return out;
    }
};

} // namespace handlers
