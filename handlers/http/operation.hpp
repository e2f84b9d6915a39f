// Operations: the text of a route in the OpenAPI document, and the responses that no type declares.
#pragma once

#include "handlers/http/error_codes.hpp"
#include "handlers/http/route.hpp"

#include <array>
#include <cstddef>
#include <string_view>

namespace handlers {

/// An error response: a status, its code, and the schema of its body.
struct documented_error {
    unsigned status = 0;
    /// Empty: the body has no code.
    std::string_view code = {};
    /// The body has the route's own schema, not that of the code.
    bool has_own_body = false;

    constexpr documented_error() = default;
    constexpr documented_error(problem_code of) : status(of.status()), code(of.name()) {}
    constexpr documented_error(unsigned status, std::string_view code, bool has_own_body)
        : status(status), code(code), has_own_body(has_own_body)
    {}

    bool operator==(const documented_error&) const = default;
};

/// An error that the handler answers with the route's own schema.
constexpr documented_error own_body(problem_code of)
{
    return {of.status(), of.name(), true};
}
constexpr documented_error own_body(unsigned status)
{
    return {status, {}, true};
}

/// A short list with constexpr storage.
template <class T, std::size_t max_size>
class constexpr_list {
public:
    constexpr void push_back(const T& item) { items_.at(size_++) = item; }
    constexpr const T* begin() const { return items_.data(); }
    constexpr const T* end() const { return items_.data() + size_; }
    constexpr bool empty() const { return size_ == 0; }

private:
    std::array<T, max_size> items_{};
    std::size_t size_ = 0;
};

/// A response that the signature of the handler does not declare.
struct extra_response {
    unsigned status = 0;
    std::string_view description = {};
    /// Empty: no body.
    std::string_view media_type = {};
};

struct operation_tag {
    std::string_view name, description;
};

/** A route's entry in the document. Responses that follow from the guard or the input, such as 401 and 422,
    are not repeated here. */
struct operation {
    const char* handler;
    std::string_view tag;
    /// operationId: how client generators name their functions.
    std::string_view id;
    std::string_view summary;
    std::string_view description = {};
    constexpr_list<documented_error, 14> errors = {};
    constexpr_list<extra_response, 3> extra_responses = {};
    /// HTML for people: any status may have a page.
    bool is_page = false;
    /// Its body is a form of a page.
    bool takes_form = false;

    /// The operation is a page of the site.
    constexpr operation as_page() const
    {
        auto out = responds(200, "The page.", "text/html");
        out.is_page = true;
        return out;
    }

    /// The operation is what the form of a page is sent to.
    constexpr operation as_form() const
    {
        auto out = as_page().responds(303, "Done: the browser continues at another page.");
        out.takes_form = true;
        return out;
    }

    template <class... Errors>
    constexpr operation fails_with(Errors... more) const
    {
        auto out = *this;
        (out.errors.push_back(more), ...);
        return out;
    }

    constexpr operation responds(unsigned status, std::string_view text,
                                 std::string_view media_type = {}) const
    {
        auto out = *this;
        out.extra_responses.push_back({status, text, media_type});
        return out;
    }
};

/// The operation of the route that handler F serves. Where F serves several, the routes select by id.
template <auto F>
constexpr operation describes(const operation_tag& tag, std::string_view id, std::string_view summary,
                              std::string_view description = {})
{
    return {&handler_id<F>, tag.name, id, summary, description};
}

/** The route table with an operation on each line.
    Does not compile unless each route has exactly one operation and each operation one route. */
template <std::size_t N, std::size_t... M>
consteval std::array<route, N> with_operations(const route (&routes)[N], const operation (&... groups)[M])
{
    std::array<route, N> out;
    std::size_t used = 0;
    for (std::size_t i = 0; i < N; ++i) {
        out[i] = routes[i];
        auto attach = [&out = out[i], &used](const operation& one) {
            if (one.handler != out.handler || (!out.operation_id.empty() && one.id != out.operation_id))
                return;
            if (out.operation)
                throw "a handler with several operations: the route must select one by with_operation";
            out.operation = &one;
            ++used;
        };
        auto attach_all = [&attach](const auto& group) {
            for (auto& one : group)
                attach(one);
        };
        (attach_all(groups), ...);
        if (!out[i].operation)
            throw "a route without an operation";
    }
    if (used != (M + ...))
        throw "an operation without a route, or for two";
    return out;
}

namespace tags {

inline constexpr operation_tag accounts{"Accounts", "Sign-up and login."};
inline constexpr operation_tag sessions{"Sessions", "Tokens, and the devices where an account is signed in."};
inline constexpr operation_tag email_and_passwords{
    "Email and passwords", "Email verification, and forgotten and changed passwords."};
inline constexpr operation_tag google{"Google", "Sign-in with Google, or with another OpenID provider."};
inline constexpr operation_tag profile{"Profile", "The caller's account, picture and notification settings."};
inline constexpr operation_tag workspaces{
    "Workspaces", "What users share. The credential of a request selects its workspace."};
inline constexpr operation_tag team{"Team", "The members of a workspace and their roles."};
inline constexpr operation_tag invites{"Invites", "Invitations to join a workspace."};
inline constexpr operation_tag api_keys{
    "API keys", "Credentials for programs: `tnx_<prefix>_<secret>`. The secret is shown once."};
inline constexpr operation_tag integration{
    "Service integration", "Authentication and permission checks for proxies and other servers."};
inline constexpr operation_tag agents{"Agents", "Access for clients of the Model Context Protocol."};
inline constexpr operation_tag pages{"Pages", "The pages that links in emails open."};
inline constexpr operation_tag observability{"Observability", "Health checks and metrics for operators."};

inline constexpr operation_tag all[] = {
    accounts, sessions, email_and_passwords, google, profile, workspaces,   team,
    invites,  api_keys, integration,         agents, pages,   observability};

} // namespace tags

} // namespace handlers
