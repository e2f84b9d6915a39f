// Permissions: what each role grants, and how the scopes of an API key narrow it.
#pragma once

#include "db/principals/principal.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace handlers {

/// The built-in permissions, and those of the operator's other modules.
class permission_table {
public:
    /** @param extra_resources resource names of other modules, such as "leads": granted to every role, as
        content is, and narrowed by scopes */
    explicit permission_table(std::vector<std::string> extra_resources);

    /// All built-in permissions.
    static std::vector<std::string_view> builtin();

    /// Whether `permission` (`resource:action`) exists.
    bool knows(std::string_view permission) const;

    /// Whether an API key can have a scope: `*` or a known permission.
    bool knows_scope(std::string_view scope) const { return scope == "*" || knows(scope); }

    bool role_grants(db::role role, std::string_view permission) const;

    /// Whether both the role and the scopes of a principal grant a permission.
    bool allows(const db::principal& principal, std::string_view permission) const;

    /// The built-in permissions that a principal has, in the order of the table.
    std::vector<std::string> effective(const db::principal& principal) const;

    /// Whether `inner` grants nothing that `outer` does not: a key cannot create a more powerful one.
    static bool is_subset(const std::vector<std::string>& inner, const std::vector<std::string>& outer);

private:
    bool is_extra(std::string_view permission) const;

    std::vector<std::string> extra_resources_;
};

} // namespace handlers
