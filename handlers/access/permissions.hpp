// What a role may do: the one table of permissions.
#pragma once

#include "db/principals/principal.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace handlers {

/** The permissions this server knows of itself, plus the resource names of the operator's other modules. */
class permission_table {
public:
    /** @param extra_resources resource names of other modules, such as "leads": every role may act on them,
        as it may on content; scopes narrow that */
    explicit permission_table(std::vector<std::string> extra_resources);

    /** All permissions that this server knows of itself. */
    static std::vector<std::string_view> own();

    /** Whether `permission` (`resource:action`) means anything here. */
    bool knows(std::string_view permission) const;

    /** Whether a scope may be asked for in a key: `*` or a known permission. */
    bool knows_scope(std::string_view scope) const { return scope == "*" || knows(scope); }

    bool role_grants(db::role role, std::string_view permission) const;

    /** Effective permission, evaluated from the principal as it is now: role and scopes both grant it. */
    bool allows(const db::principal& who, std::string_view permission) const;

    /** All effective permissions of this server's own table, in its order. */
    std::vector<std::string> effective(const db::principal& who) const;

    /** Whether `inner` grants nothing that `outer` does not: keys never beget wider keys. */
    static bool is_subset(const std::vector<std::string>& inner, const std::vector<std::string>& outer);

private:
    bool is_extra(std::string_view permission) const;

    std::vector<std::string> extra_resources_;
};

} // namespace handlers
