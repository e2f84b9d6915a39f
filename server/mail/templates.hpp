// Email templates: renders the subject and the content of each kind of email.
#pragma once

#include "db/tables/outbox.hpp"
#include "handlers/http/settings.hpp"

#include <boost/json/object.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace server {

/// The content of an email, before its layout as plain text or HTML.
struct email {
    std::string subject;
    /// Follow the greeting.
    std::vector<std::string> paragraphs;
    /// Bullet list after the first paragraph.
    std::vector<std::string> list;
    /// Both empty: no link.
    std::string link, link_label;
    /// Small print; may be empty.
    std::string footer;
};

/// The installation as emails present it.
struct branding {
    /// Without a slash at its end.
    std::string public_url;
    /// In the texts: the brand's with the host of the public URL, or the host alone.
    std::string name;
    /// Above an HTML email; empty: none.
    std::string heading;
    /// Of the link's button, and of the text on it: `#rrggbb`.
    std::string accent = "#3346c8", on_accent = "#ffffff";
};

branding to_branding(const handlers::settings& settings);

/** Render one kind of email.
    @param variables as handlers queued them; texts for missing ones are left out
    @param token of the email's link */
email render_email(db::outbox::kind kind, const boost::json::object& variables, const branding& site,
                   std::string_view token);

/** Lay out an email.
    @param recipient_name for the greeting; absent if not verified
    @param unsubscribe_link empty if emails of this kind cannot be switched off */
std::string to_plain_text(const email& content, const std::optional<std::string>& recipient_name,
                          std::string_view unsubscribe_link);
std::string to_html(const email& content, const branding& site,
                    const std::optional<std::string>& recipient_name, std::string_view unsubscribe_link);

} // namespace server
