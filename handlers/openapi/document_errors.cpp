#include "handlers/openapi/document_errors.hpp"

#include "handlers/openapi/security.hpp"

#include <algorithm>

namespace handlers {

namespace {

/// The errors of a route before its handler runs.
std::vector<documented_error> common_errors(const route& line)
{
    using kind = guard_kind;
    std::vector<documented_error> out{codes::bad_request, codes::internal_error, codes::overloaded,
                                      codes::database_unavailable};
    auto add = [&out](auto... more) { (out.push_back(more), ...); };
    if (line.guard.kind != kind::unlimited)
        add(codes::rate_limited);
    if (line.guard.needs_same_origin)
        add(codes::cross_site_request, codes::rate_limited);
    if (needs_credential(line)) {
        add(codes::unauthorized, codes::token_expired);
        if (line.guard.kind != kind::allow_unverified)
            add(codes::email_not_verified);
        if (line.guard.needs_workspace)
            add(codes::pending_approval,
                line.guard.kind == kind::permission ? codes::forbidden_scope : codes::forbidden);
        if (line.guard.kind == kind::permission || line.guard.kind == kind::company_admin)
            add(codes::forbidden_scope);
    }
    if (line.source == input_source::json || line.source == input_source::optional_json)
        add(codes::malformed_json, codes::payload_too_large, codes::unsupported_media_type,
            codes::validation_error);
    if (line.source == input_source::form)
        add(codes::payload_too_large, codes::unsupported_media_type, codes::invalid_request);
    if (line.source == input_source::query)
        add(codes::validation_error);
    if (line.path.find('{') != line.path.npos)
        add(codes::not_found);
    return out;
}

} // namespace

std::map<unsigned, std::vector<documented_error>> errors_of(const route& line, const operation& op,
                                                            bool has_cursor)
{
    auto all = common_errors(line);
    all.insert(all.end(), op.errors.begin(), op.errors.end());
    if (has_cursor)
        all.push_back(codes::invalid_cursor);
    std::map<unsigned, std::vector<documented_error>> out;
    for (auto& one : all) {
        auto& same_status = out[one.status];
        if (std::ranges::find(same_status, one) == same_status.end())
            same_status.push_back(one);
    }
    return out;
}

} // namespace handlers
