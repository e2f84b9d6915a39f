#include "handlers/access/permissions.hpp"

#include <algorithm>
#include <utility>

namespace handlers {

namespace {

struct row {
    std::string_view permission;
    bool admin, manager, member;
};

constexpr row table[] = {
    {"content:read", true, true, true},      {"content:write", true, true, true},
    {"profile:read", true, true, true},      {"profile:write", true, true, true},
    {"api_keys:read", true, true, true},     {"api_keys:write", true, true, true},
    {"team:read", true, true, true},         {"team:invite", true, true, false},
    {"team:approve", true, false, false},    {"team:remove", true, false, false},
    {"team:roles", true, false, false},      {"resources:delete", true, false, false},
    {"settings:manage", true, false, false}, {"api_keys:admin", true, false, false},
    {"audit:read", true, false, false},      {"tokens:introspect", true, false, false},
};

const row* find(std::string_view permission)
{
    auto it = std::ranges::find(table, permission, &row::permission);
    return it == std::end(table) ? nullptr : it;
}

bool has(const std::vector<std::string>& scopes, std::string_view permission)
{
    return std::ranges::any_of(scopes, [&](const std::string& s) { return s == "*" || s == permission; });
}

} // namespace

permission_table::permission_table(std::vector<std::string> extra_resources)
    : extra_resources_(std::move(extra_resources))
{}

std::vector<std::string_view> permission_table::builtin()
{
    std::vector<std::string_view> out;
    for (auto& line : table)
        out.push_back(line.permission);
    return out;
}

bool permission_table::is_extra(std::string_view permission) const
{
    auto colon = permission.find(':');
    if (colon == std::string_view::npos || colon + 1 == permission.size())
        return false;
    auto action = permission.substr(colon + 1);
    return std::ranges::find(extra_resources_, permission.substr(0, colon)) != extra_resources_.end() &&
           std::ranges::all_of(action, [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; });
}

bool permission_table::knows(std::string_view permission) const
{
    return find(permission) || is_extra(permission);
}

bool permission_table::role_grants(db::role role, std::string_view permission) const
{
    if (auto line = find(permission))
        return role == db::role::admin     ? line->admin
               : role == db::role::manager ? line->manager
                                           : line->member;
    return is_extra(permission);
}

bool permission_table::allows(const db::principal& principal, std::string_view permission) const
{
    bool in_scope = principal.kind == db::principal::kind_type::session || has(principal.scopes, permission);
    return principal.role && in_scope && role_grants(*principal.role, permission);
}

std::vector<std::string> permission_table::effective(const db::principal& principal) const
{
    std::vector<std::string> out;
    for (auto& line : table)
        if (allows(principal, line.permission))
            out.emplace_back(line.permission);
    return out;
}

bool permission_table::is_subset(const std::vector<std::string>& inner, const std::vector<std::string>& outer)
{
    return std::ranges::all_of(inner, [&](const std::string& s) { return has(outer, s); });
}

} // namespace handlers
