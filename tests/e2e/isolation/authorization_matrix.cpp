#include "tests/e2e/isolation/authorization_matrix.hpp"

#include <iterator>

namespace e2e::authorization_matrix {

bool names_workspace_object(const row& line)
{
    return std::ranges::any_of(belongs_to_workspace, [&](std::string_view placeholder) {
        return line.path.find(placeholder) != line.path.npos || line.body.find(placeholder) != line.body.npos;
    });
}

bool is_open_without_workspace(const row& line)
{
    if (line.is_at_root)
        return line.path == "/mcp" || line.path == "/session"; // each tool checks for itself
    return std::ranges::any_of(without_workspace, [&](std::string_view prefix) {
        auto rest = line.path.starts_with(prefix) ? line.path.substr(prefix.size()) : "no";
        return rest.empty() || rest.front() == '/';
    });
}

role role_of(caller who, credential with)
{
    switch (who) {
    case caller::anonymous:
    case caller::without_workspace:
    case caller::pending:
        return role::none;
    case caller::member:
        return role::member;
    case caller::manager:
        return role::manager;
    case caller::disabled:
        return with == credential::workspace_key ? role::member : role::admin;
    default:
        return role::admin;
    }
}

std::vector<std::string> scopes_of(credential with, const row& line)
{
    if (with == credential::minimal_key)
        return {std::string(line.required)};
    if (with != credential::insufficient_key)
        return {std::string(all_permissions)};
    if (line.required.empty())
        return {"content:read"};
    std::vector<std::string> out;
    for (auto& one : permissions)
        if (one.permission != line.required)
            out.emplace_back(one.permission);
    return out;
}

bool has_permission(caller who, credential with, const row& line)
{
    if (line.required.empty())
        return true;
    auto found = std::ranges::find(permissions, line.required, &grant::permission);
    auto least = found == std::end(permissions) ? role::admin : found->least;
    auto scopes = scopes_of(with, line);
    return role_of(who, with) >= least && std::ranges::any_of(scopes, [&](auto& scope) {
               return scope == all_permissions || scope == line.required;
           });
}

unsigned expected_status(const row& line, caller who, credential with)
{
    bool is_key = with != credential::session;
    bool is_member = who != caller::outsider && who != caller::member_of_both;
    // Authentication.
    if (line.acts_on == subject::open)
        return line.success;
    if (who == caller::anonymous || (who == caller::disabled && with != credential::workspace_key))
        return 401;
    // Calls that no key, or no user without a workspace, can make.
    if (line.acts_on == subject::session && is_key)
        return line.status_for_key;
    if (line.acts_on == subject::invite && is_key)
        return 403;
    if (who == caller::without_workspace || who == caller::pending) {
        if (!is_open_without_workspace(line))
            return 403;
        return names_workspace_object(line) ? 404 : line.success;
    }
    // Permissions, and calls for which a workspace key lacks a user.
    if (!has_permission(who, with, line))
        return 403;
    if (with == credential::workspace_key &&
        (line.acts_on == subject::user || line.acts_on == subject::ownership ||
         (line.acts_on == subject::keys && role_of(who, with) != role::admin)))
        return 403;
    if (line.acts_on == subject::ownership && who == caller::admin)
        return 403;
    // Tenant isolation.
    if (!is_member && names_workspace_object(line))
        return 404;
    return line.acts_on == subject::invite && is_member ? 409 : line.success;
}

} // namespace e2e::authorization_matrix
